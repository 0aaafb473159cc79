"""Serves ranges of files: one plain range is handed on, anything else gets the whole file, as HTTP allows."""

from __future__ import annotations

import re

from mmner_core.serving.asgi import Headers

_RANGE = re.compile(rb"bytes=(\d{0,15})-(\d{0,15})", re.IGNORECASE)


def plain_range(headers: Headers) -> Headers:
    """Return a request's headers with a range that the web framework reads well, or with none.

    In small letters gradio would read it by itself, and answer with the request's headers, cookies included; otherwise
    starlette reads it.
    """
    given = [value for name, value in headers if name == b"range"]
    kept = [(name, value) for name, value in headers if name != b"range"]
    match = _RANGE.fullmatch(given[0].strip()) if len(given) == 1 else None
    if match is None or not any(match.groups()) or (all(match.groups()) and int(match[1]) > int(match[2])):
        return kept
    return [*kept, (b"range", b"Bytes=%s-%s" % match.groups())]

"""The Jinja2 environment of the report's and the app's templates: every value is escaped."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    import jinja2

# What no page may hold by the HTML standard; each is shown as one U+FFFD.
_UNSHOWABLE = re.compile("[\x00-\x08\x0b\x0e-\x1f\ud800-\udfff]")


@cache
def template_environment(folder: Path) -> jinja2.Environment:
    """Return the environment of the templates in a folder; an undefined name in a template is an error."""
    import jinja2

    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder),
        autoescape=True,
        auto_reload=False,
        undefined=jinja2.StrictUndefined,
        finalize=showable,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def showable(value: Any) -> Any:
    """Return a text with what no page may hold replaced; other values, markup among them, as they are."""
    return _UNSHOWABLE.sub("\ufffd", value) if type(value) is str else value

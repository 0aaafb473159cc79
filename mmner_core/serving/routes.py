"""The table of allowed routes, each with its limits; what is not in it does not exist.

All routes but ``/health`` are gradio's; ``tests/app/test_routes.py`` lists those of the running app and fails when an
update brings one that is neither here nor known to be shut.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from mmner_core.serving.config import ServingConfig
from mmner_core.serving.identifiers import Check, anything, check_number, identifier, optional, values
from mmner_core.serving.json_body import JsonLimits

API = "/gradio_api"
HEALTH = "/health"
_READ = frozenset({"GET", "HEAD"})
_GET = frozenset({"GET"})
_POST = frozenset({"POST"})
_SMALL = 10_000
_FORM_BYTES = 100_000  # what a form with one file adds to the file
_PART_BYTES = 100_000  # what a research tab sends: the state that stands in the page's address
_CHARACTER_BYTES = 12  # at most, where JSON escapes it
_ITEM_VALUES = 30  # in an item of /tag_batch: four fields, one of them a photo with seven


class Body(Enum):
    """What a request carries."""

    NONE = "nothing"
    JSON = "JSON"
    FORM = "a form"
    UPLOAD = "a form with files"


class Who(Enum):
    """Who may ask where there is a login."""

    EVERYONE = "everyone"
    LOGGED_IN = "who is logged in"


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A route and its limits.

    Attributes:
        path: matches the whole path; its groups ``session`` and ``event`` are identifiers, ``name`` is that of a
            function for programs.
        methods: how it may be asked.
        who: who may ask.
        body: what a request carries.
        max_bytes: of the body.
        json: limits on a body of JSON.
        cost: tokens that a request takes of the visitor's at the least; 0: it is not counted.
        query: the parameters that are handed on, each with its check.
        fields: those of a body of JSON, each with its check.
        needed: parameters or fields that must be there.
        unasked: parameters that are handed on where none is given.
        handed_as: the method that gradio knows it by; empty: the same.
    """

    path: re.Pattern[str]
    methods: frozenset[str] = _READ
    who: Who = Who.LOGGED_IN
    body: Body = Body.NONE
    max_bytes: int = 0
    json: JsonLimits = field(default_factory=JsonLimits)
    cost: int = 0
    query: Mapping[str, Check] = field(default_factory=dict)
    fields: Mapping[str, Check] = field(default_factory=dict)
    needed: frozenset[str] = frozenset()
    unasked: bytes = b""
    handed_as: str = ""

    @property
    def needed_parameters(self) -> frozenset[str]:
        """Return the parameters that must be there."""
        return self.needed & self.query.keys()


def table(config: ServingConfig) -> tuple[Route, ...]:
    """Return every route that is open."""
    return (*_pages(), *_events(config), *_files(config), *_account())


def _route(pattern: str, **limits: object) -> Route:
    return Route(path=re.compile(pattern + "/?", re.DOTALL), **limits)  # type: ignore[arg-type]


def _post(pattern: str, max_bytes: int, **limits: object) -> Route:
    return _route(pattern, **{"methods": _POST, "body": Body.JSON, "max_bytes": max_bytes, "cost": 1, **limits})


def _pages() -> list[Route]:
    """The page, what it is made of, and what programs read about it."""
    everyone = Who.EVERYONE
    return [
        _route("", who=everyone, cost=1),
        _route("/config", cost=1),
        # Without a page gradio would answer everyone with the name under which the first visitor asked.
        _route(f"{API}/info", cost=1, query={"all_endpoints": identifier}, unasked=b"page="),
        _route(r"/(?:static|assets|svelte)/.+", who=everyone),
        _route(rf"(?:{API})?/theme\.css|/favicon\.ico|/robots\.txt|/manifest\.json", who=everyone),
        _route(f"{API}/(?:startup-events|app_id)", who=everyone),  # the server itself asks for the first
    ]


def _events(config: ServingConfig) -> list[Route]:
    """Requests for answers."""
    text = 200_000 + _CHARACTER_BYTES * config.max_characters
    batch = JsonLimits(values=2_000 + _ITEM_VALUES * config.batch_items)
    data = {"data": values, "session_hash": optional(identifier)}
    join = data | {"session_hash": identifier, "fn_index": check_number, "event_data": anything}
    join |= {"trigger_id": optional(check_number)}
    part = {"data": anything, "component_id": check_number, "fn_name": identifier, "session_hash": identifier}
    cancel = {"session_hash": identifier, "fn_index": check_number, "event_id": identifier}
    megabytes = int(config.max_request_mb * 1e6)
    called = {"fields": data, "needed": frozenset({"data"})}
    session = {"session_hash": identifier}
    return [
        _post(f"{API}/call/(?P<name>tag_batch)", megabytes, json=batch, **called),
        _post(rf"{API}/call/(?P<name>[^/]+)", min(text, megabytes), **called),
        _route(rf"{API}/call/(?P<name>[^/]+)/(?P<event>[^/]+)", methods=_GET),
        # Programs that speak as the page does send batches here, too.
        _post(
            f"{API}/queue/join",
            megabytes,
            json=batch,
            fields=join,
            needed=frozenset({"data", "session_hash", "fn_index"}),
        ),
        _route(f"{API}/queue/data", methods=_GET, query=session, needed=frozenset(session)),
        _route(rf"{API}/heartbeat/(?P<session>[^/]+)", methods=_GET),
        _post(f"{API}/cancel", _SMALL, fields=cancel, needed=frozenset(cancel)),
        _post(f"{API}/reset", _SMALL, fields={"event_id": identifier}, needed=frozenset({"event_id"})),
        _post(f"{API}/component_server", _PART_BYTES, fields=part, needed=frozenset(part)),
    ]


def _files(config: ServingConfig) -> list[Route]:
    """Photos and data sets, from visitors and to them."""
    upload = config.upload_bytes + _FORM_BYTES
    tracked = {"upload_id": identifier}
    return [
        _post(f"{API}/upload", upload, body=Body.UPLOAD, query=tracked),
        _route(f"{API}/upload_progress", methods=_GET, cost=1, query=tracked, needed=frozenset(tracked)),
        _route(rf"{API}/file[=/].+"),
    ]


def _account() -> list[Route]:
    """Login and logout."""
    everyone = Who.EVERYONE
    return [
        _post("/login", _SMALL, body=Body.FORM, who=everyone),
        # In gradio any link, also another site's, would log a visitor out; of all their browsers.
        _post("/logout", _SMALL, body=Body.FORM, who=everyone, unasked=b"all_session=false", handed_as="GET"),
    ]


def find(routes: tuple[Route, ...], method: str, path: str) -> tuple[Route, re.Match[str]] | frozenset[str]:
    """Return the route of a request and how its path matches; if there is none, the methods that its path takes."""
    methods: set[str] = set()
    for route in routes:
        if match := route.path.fullmatch(path):
            if method in route.methods:
                return route, match
            methods |= route.methods
    return frozenset(methods)

"""Gradio's routes, as the running version has them: each is in the gate's table, or known and shut."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from gradio.routes import App

from analysis.views.service import TagService
from app import build_app
from mmner_core.serving.config import ServingConfig
from mmner_core.serving.routes import find, table

SHUT = {
    "/gradio_api/api/{api_name}",
    "/gradio_api/call/v2/{api_name}",
    "/gradio_api/call/v2/{api_name}/{event_id}",
    "/gradio_api/custom_component/{id}/{environment}/{type}/{file_name}",
    "/gradio_api/deep_link",
    "/gradio_api/dev/reload",
    "/gradio_api/login_check",
    "/gradio_api/openapi.json",
    "/gradio_api/process_recording",
    "/gradio_api/proxy={url_path:path}",
    "/gradio_api/queue/status",
    "/gradio_api/run-history/buckets",
    "/gradio_api/run-history/connect",
    "/gradio_api/run-history/records",
    "/gradio_api/run-history/records/{endpoint}/{record_id}/assets/{asset_id}",
    "/gradio_api/run/{api_name}",
    "/gradio_api/runs",
    "/gradio_api/stream/{event_id}",
    "/gradio_api/stream/{event_id}/close",
    "/gradio_api/stream/{session_hash}/{run}/{component_id}/playlist-file",
    "/gradio_api/stream/{session_hash}/{run}/{component_id}/playlist.m3u8",
    "/gradio_api/stream/{session_hash}/{run}/{component_id}/{segment_id}.{ext}",
    "/gradio_api/token",
    "/gradio_api/undo-vibe-edit",
    "/gradio_api/user",
    "/gradio_api/vibe-code",
    "/gradio_api/vibe-edit",
    "/gradio_api/vibe-starter-queries",
    "/monitoring",
    "/monitoring/summary",
    "/monitoring/{key}",
    "/openapi.json",
    "/pwa_icon",
    "/pwa_icon/{size}",
}
"""What gradio has and we have no use for: it writes files, runs programs, passes the queue by, shows traffic, or tells
a visitor's token. A route that an update brings belongs here or into the table, with limits."""


def gradios_routes(routes: Any) -> Iterator[tuple[str, str]]:
    """Yield method and path of every route, those of routers that are included as well."""
    for route in routes:
        if (router := getattr(route, "original_router", None)) is not None:
            yield from gradios_routes(router.routes)
        elif path := getattr(route, "path", ""):
            yield from ((method, path) for method in getattr(route, "methods", None) or ["ANY"])
        else:
            raise AssertionError(f"a route of a new kind: {route!r}")


@pytest.fixture(scope="module")
def routes(service: TagService) -> set[tuple[str, str]]:
    """Return the routes of the app as gradio makes it."""
    application = App.create_app(build_app(service), app_kwargs=dict.fromkeys(("docs_url", "redoc_url", "openapi_url")))
    return {(method, path.rstrip("/") or "/") for method, path in gradios_routes(application.routes)}


def in_table(method: str, path: str) -> bool:
    """Say whether the gate lets a route through."""
    sample = re.sub(r"\{[^}]+\}", "abc", path)
    return isinstance(find(table(ServingConfig()), method, sample), tuple)


def test_every_route_of_gradio_is_known(routes: set[tuple[str, str]]) -> None:
    """None is open that nobody looked at, and none is listed that is gone."""
    unknown = {(method, path) for method, path in routes if not in_table(method, path) and path not in SHUT}
    # Logging out is open as POST only, which the gate hands on as gradio knows it.
    assert unknown - {("GET", "/logout")} == set()
    assert SHUT - {path for _, path in routes} == {"/openapi.json"} & SHUT


def test_no_route_is_open_and_shut(routes: set[tuple[str, str]]) -> None:
    """What the list above says is shut, is."""
    assert [(method, path) for method, path in routes if path in SHUT and in_table(method, path)] == []


def test_the_table_has_limits_for_everything_that_carries_something() -> None:
    """Size and rate wherever a body is taken; reading carries none."""
    for route in table(ServingConfig()):
        changes = bool(route.methods & {"POST", "PUT", "DELETE", "PATCH"})
        assert (route.max_bytes > 0 and route.cost > 0) == changes, route.path.pattern

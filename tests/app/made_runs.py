"""A data set for the tab in which runs are made: names in other words than the model's, and photos in a zip."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import httpx

from tests.app.attacking import FILE, upload
from tests.app.research_run import DATA

PHOTOS = DATA / "images"


def write_news(folder: Path) -> tuple[Path, Path]:
    """Write English sentences with photos whose types are PERSON, GPE, ORG and DATE, and a zip of all photos but one.

    Returns:
        The data set and the zip; of the photos in it one is broken.
    """
    folder.mkdir(parents=True, exist_ok=True)
    text = (DATA / "en" / "train.txt").read_text(encoding="utf-8")
    for ours, theirs in (("PER", "PERSON"), ("LOC", "GPE"), ("MISC", "DATE")):
        text = text.replace(f"-{ours}\n", f"-{theirs}\n")
    (folder / "news.txt").write_text(text, encoding="utf-8")
    named = sorted({line.removeprefix("IMGID:") for line in text.splitlines() if line.startswith("IMGID:")})
    missing, broken = named[-1], named[-2]
    with zipfile.ZipFile(folder / "photos.zip", "w") as archive:
        for name in named:
            content = b"no photo" if name == broken else (PHOTOS / f"{name}.jpg").read_bytes()
            if name != missing:
                archive.writestr(f"{name}.jpg", content)
        archive.writestr("notes.docx", b"x")
    return folder / "news.txt", folder / "photos.zip"


class RunsPage:
    """The tab as its script speaks to the server, without a browser.

    Args:
        client: of a visitor, logged in where that is needed.
    """

    def __init__(self, client: httpx.Client) -> None:
        self._client = client
        components = client.get("/config").raise_for_status().json()["components"]
        named = [(name, c["id"]) for c in components for name in c["props"].get("server_fns") or ()]
        self._parts = dict(reversed(named))  # of the research tabs, the first

    def ask(self, **request: Any) -> dict[str, Any]:
        """Ask the tab."""
        return self._call("runs", request)

    def part(self, **request: Any) -> dict[str, Any]:
        """Ask a research tab for a part."""
        return self._call("part", request)

    def send(self, file: Path) -> dict[str, Any]:
        """Upload a file."""
        sent = upload(self._client, file.name, file.read_bytes()).raise_for_status()
        return {"path": sent.json()[0], **FILE}

    def _call(self, function: str, request: dict[str, Any]) -> dict[str, Any]:
        body = {"data": request, "component_id": self._parts[function], "fn_name": function, "session_hash": "abc"}
        answer: dict[str, Any] = self._client.post("/gradio_api/component_server", json=body).json()
        return answer

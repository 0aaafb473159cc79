"""Settings of the server: one frozen dataclass, read from a TOML file, the environment and the command line."""

from __future__ import annotations

import ipaddress
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from annotated_types import Ge, Gt, Le

from mmner_core.errors import InputError
from mmner_core.photos.limits import ImageLimits
from mmner_core.runtime.repository import SHIPPED
from mmner_core.text.text_limits import TextLimits

Count = Annotated[int, Ge(1)]
Positive = Annotated[float, Gt(0)]
_HOST = re.compile(r"\*|[\w.-]+(?::\d{1,5})?|\[?[0-9a-fA-F:]+\]?")
_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*:(?://)?[^\s/?#]+/?", re.IGNORECASE)  # extensions have schemes of their own


def _setting(default: Any, text: str) -> Any:
    """Return a field with the sentence that ``--help`` prints."""
    return field(default=default, metadata={"help": text})


@dataclass(frozen=True, slots=True, kw_only=True)
class ServingConfig:
    """Everything that can be set; each field is a key of the file, an option and an environment variable.

    Raises:
        InputError: if a login is not "name:password", or an allowed host or origin is none.
    """

    __pydantic_config__ = {"extra": "forbid"}

    host: str = _setting("127.0.0.1", "address to listen on; 0.0.0.0 for every network this machine is in")
    port: Annotated[int, Ge(1), Le(65535)] = _setting(7860, "port to listen on")
    root_path: str = _setting("", "path under which a reverse proxy shows the app, such as /names")
    trusted_proxies: str = _setting(
        "127.0.0.1", "proxies whose X-Forwarded-For is believed: addresses or networks, separated by commas"
    )
    allowed_hosts: tuple[str, ...] = _setting(
        (), "name under which visitors open the app, behind a proxy or on a network: names.example.org; *: any"
    )
    allowed_origins: tuple[str, ...] = _setting(
        (), "another site whose pages may ask the server: https://www.example.org; the app's own pages always may"
    )
    login: tuple[str, ...] = _setting((), "name:password of someone who may enter; none: everyone may")

    checkpoint: Path = _setting(SHIPPED, "folder of the model that answers unless another is chosen")
    checkpoints: Path | None = _setting(None, "folder of more models, one sub-folder each, to choose from")
    max_loaded: Count = _setting(2, "models in memory at once; beyond it the least recently used is unloaded")
    max_loaded_gb: Positive = _setting(8.0, "size on disk of all models in memory together")
    runs: tuple[Path, ...] = _setting((), "a run, or a folder of runs, to look into")
    images: tuple[Path, ...] = _setting((), "a folder of photos that runs may show")

    annotations: bool | None = _setting(
        None,
        "let visitors correct gold tags and name slices, kept beside the runs; unless said, where there is a login or "
        "only this machine gets in",
    )

    queue_size: Count = _setting(64, "requests that may wait; the next is told that the server is busy")
    concurrency: Count = _setting(16, "requests at work at once; their texts and photos go through the model together")
    batch_size: Count = _setting(16, "most requests in one pass of the model; 1: one at a time")
    batch_items: Count = _setting(64, "most items in one call of /tag_batch")

    visitor_rate: Annotated[float, Ge(0)] = _setting(5.0, "requests per second of one visitor; 0: no limit")
    visitor_burst: Count = _setting(100, "requests that a visitor who was quiet may make at once")
    visitor_concurrency: Count = _setting(6, "requests of one visitor at work at once")
    visitor_waiting: Count = _setting(32, "requests of one visitor that may wait, and never more than half the queue")
    visitor_loads: Count = _setting(6, "models that may be loaded for one visitor in a minute")
    visitor_megapixels: Positive = _setting(1200.0, "photos decoded for one visitor in a minute, width times height")
    visitor_connections: Count = _setting(64, "open connections of one visitor, those of proxies not counted")
    connections: Count = _setting(1000, "open connections of all visitors together")

    answer_minutes: Positive = _setting(10.0, "time after which an answer that nobody fetches is given up")
    visitor_answers_mb: Positive = _setting(16.0, "memory for answers that one visitor does not fetch; the oldest go")
    answers_mb: Positive = _setting(128.0, "memory for all answers that nobody fetches")

    max_upload_mb: Positive = _setting(30.0, "size of an uploaded file")
    max_request_mb: Positive = _setting(8.0, "size of a question, or of many in one call of /tag_batch")
    max_megapixels: Positive = _setting(60.0, "width times height of a photo")
    max_characters: Count = _setting(20_000, "length of a text; about two seconds of a core for each 10,000")
    upload_space_mb: Positive = _setting(2000.0, "all uploads together; beyond it new ones are refused for a while")
    upload_share_mb: Positive = _setting(500.0, "uploads of one visitor together")
    upload_minutes: Positive = _setting(60.0, "time after which an upload is removed")

    runs_from_browser: bool | None = _setting(
        None,
        "let visitors upload data sets and run models on them; without it, only where nothing but this machine can "
        "reach the server",
    )
    run_home: Path | None = _setting(None, "folder in which runs made from the browser are kept, by default below ~")
    run_photos: tuple[Path, ...] = _setting((), "a folder of photos on this machine that such runs may read")
    run_models: tuple[str, ...] = _setting(
        (), 'a model of your own for such runs: "package.module:factory", and its options as NAME=VALUE after it'
    )
    run_upload_mb: Positive = _setting(300.0, "size of a data set, or of a zip of photos, that is uploaded for a run")
    run_sentences: Count = _setting(5_000, "sentences of a run made from the browser")
    run_minutes: Positive = _setting(120.0, "time after which such a run is stopped")
    run_memory_mb: Positive = _setting(8000.0, "memory that such a run may hold; beyond it the run is stopped")
    run_waiting: Count = _setting(4, "such runs of one user that may wait or be at work")
    run_space_mb: Positive = _setting(8000.0, "disk that all such runs may take, with their data and photos")
    run_share_mb: Positive = _setting(2000.0, "disk that those of one user may take")

    fetch_urls: bool = _setting(
        False, "let programs give the web address of a photo, which the server then fetches, from public servers only"
    )
    log_text: bool = _setting(False, "write visitors' texts and the details of errors into the log")

    def __post_init__(self) -> None:
        for entry in self.login:
            name, colon, password = entry.partition(":")
            if not (name.strip() and colon and password):
                raise InputError('login: write "name:password", both not empty.')
        for host in self.allowed_hosts:
            if not _HOST.fullmatch(host):
                raise InputError(f'allowed_hosts: write a name alone, as "names.example.org", not {host[:60]!r}.')
        for origin in self.allowed_origins:
            if not _ORIGIN.fullmatch(origin):
                raise InputError(f'allowed_origins: write "https://name" or "https://name:port", not {origin[:60]!r}.')

    @property
    def logins(self) -> list[tuple[str, str]]:
        """Return name and password of each who may enter; empty: everyone may."""
        return [(name.strip(), password) for name, _, password in (entry.partition(":") for entry in self.login)]

    @property
    def writable(self) -> bool:
        """Return whether visitors may keep something beside the runs."""
        if self.annotations is not None:
            return self.annotations
        return bool(self.login) or self._is_alone

    @property
    def makes_runs(self) -> bool:
        """Return whether visitors may make runs: where they were allowed to, or where this machine alone can ask."""
        if self.runs_from_browser is not None:
            return self.runs_from_browser
        return self._is_alone

    @property
    def _is_alone(self) -> bool:
        """Return whether this machine alone can ask, as far as the settings tell."""
        return _is_loopback(self.host) and not (self.allowed_hosts or self.root_path)

    @property
    def run_folder(self) -> Path:
        """Return the folder of the runs that visitors made; it need not be there."""
        if self.run_home is not None:
            return self.run_home
        return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "mmner" / "runs"

    @property
    def upload_bytes(self) -> int:
        """Return how big an uploaded file may be; what a photo may have is in :attr:`image_limits`."""
        megabytes = max(self.max_upload_mb, self.run_upload_mb) if self.makes_runs else self.max_upload_mb
        return int(megabytes * 1e6)

    @property
    def image_limits(self) -> ImageLimits:
        """Return which images are refused."""
        return ImageLimits(max_bytes=int(self.max_upload_mb * 1e6), max_pixels=int(self.max_megapixels * 1e6))

    @property
    def text_limits(self) -> TextLimits:
        """Return which texts are refused."""
        return TextLimits(max_characters=self.max_characters)


def _is_loopback(host: str) -> bool:
    """Say whether an address to listen on is reached from this machine alone."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"

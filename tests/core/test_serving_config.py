"""Settings come from a file, the environment and the command line, each over the one before, and are checked."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from mmner_core.serving.config import ServingConfig
from mmner_core.serving.options import read_config
from tests.told import refused


def settings_file(folder: Path, text: str) -> str:
    """Write a settings file; return its path."""
    file = folder / "serving.toml"
    file.write_text(text, encoding="utf-8")
    return str(file)


def test_without_anything_the_defaults_hold() -> None:
    """Only this machine is served, nothing is fetched, no text is logged."""
    config = read_config([], {})
    assert config == ServingConfig()
    assert (config.host, config.fetch_urls, config.log_text, config.logins) == ("127.0.0.1", False, False, [])


def test_the_command_line_wins_over_the_environment_over_the_file(tmp_path: Path) -> None:
    """Each source overrides the one before, setting by setting."""
    file = settings_file(tmp_path, "port = 1\nqueue_size = 1\nbatch_size = 1\n")
    environment = {"MMNER_CONFIG": file, "MMNER_QUEUE_SIZE": "2", "MMNER_BATCH_SIZE": "2"}
    config = read_config(["--batch-size", "3"], environment)
    assert (config.port, config.queue_size, config.batch_size) == (1, 2, 3)


def test_every_setting_is_an_option_and_a_variable(tmp_path: Path) -> None:
    """Whatever has a default can be set in each of the three ways."""
    for setting in fields(ServingConfig):
        switch = setting.type in ("bool", "bool | None")
        value = {int: "77", float: "7.5", tuple: "a:b"}.get(type(setting.default), "true" if switch else "here")
        flag = "--" + setting.name.replace("_", "-")
        option = [flag] if switch else [flag, value]
        by_option = read_config(option, {})
        assert by_option == read_config([], {f"MMNER_{setting.name.upper()}": value})
        assert getattr(by_option, setting.name) != setting.default


def test_lists_are_repeated_or_separated(tmp_path: Path) -> None:
    """Several runs, several who may enter."""
    config = read_config(["--runs", "a", "--runs", "b"], {"MMNER_LOGIN": "ada:xy;bob:z:w"})
    assert config.runs == (Path("a"), Path("b"))
    assert config.logins == [("ada", "xy"), ("bob", "z:w")]


def test_paths_in_the_file_are_beside_it(tmp_path: Path) -> None:
    """Wherever the server is started."""
    config = read_config(["--config", settings_file(tmp_path, 'checkpoints = "models"\nruns = ["a", "/b"]\n')], {})
    assert config.checkpoints == tmp_path / "models"
    assert config.runs == (tmp_path / "a", Path("/b"))


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("prt = 1", ["field prt"]),
        ("port = 0", ["field port", "1"]),
        ("visitor_rate = -1", ["field visitor_rate"]),
        ('login = ["ada"]', ["login", "name:password"]),
        ("port = x", ["TOML", "line 1"]),
    ],
)
def test_a_mistake_is_told_with_its_place(tmp_path: Path, text: str, named: list[str]) -> None:
    """One sentence: which source, which setting, what is wrong."""
    with refused("serving.toml", *named):
        read_config(["--config", settings_file(tmp_path, text)], {})


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    """Instead of serving with the defaults."""
    with refused("none.toml", "No such file"):
        read_config(["--config", str(tmp_path / "none.toml")], {})


@pytest.mark.parametrize(
    ("setting", "value"),
    [("allowed_hosts", "https://names.example"), ("allowed_hosts", "a/b"), ("allowed_hosts", ""),
     ("allowed_origins", "www.example.org"), ("allowed_origins", "https://www.example.org/page"),
     ("allowed_origins", "*")],
)  # fmt: skip
def test_names_and_sites_are_written_as_browsers_send_them(setting: str, value: str) -> None:
    """Another form would never match, and the operator wonder why."""
    with refused(setting):
        ServingConfig(**{setting: (value,)})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("settings", "allowed"),
    [
        ([], True),
        (["--host", "::1"], True),
        (["--host", "localhost"], True),
        (["--host", "0.0.0.0"], False),
        (["--host", "192.168.0.5"], False),
        (["--host", "names.example"], False),
        (["--allowed-hosts", "names.example"], False),
        (["--root-path", "/names"], False),
        (["--host", "0.0.0.0", "--login", "ada:xy"], False),
        (["--host", "0.0.0.0", "--runs-from-browser"], True),
        (["--no-runs-from-browser"], False),
    ],
)
def test_visitors_make_runs_only_where_they_were_allowed_to(settings: list[str], allowed: bool) -> None:
    """Or where this machine alone can ask; then uploads may be as big as a data set."""
    config = read_config(settings, {})
    assert config.makes_runs is allowed
    assert config.upload_bytes == (300_000_000 if allowed else 30_000_000)


def test_runs_lie_where_the_user_s_data_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unless another folder is named."""
    monkeypatch.setenv("XDG_DATA_HOME", "/data")
    assert read_config([], {}).run_folder == Path("/data/mmner/runs")
    assert read_config(["--run-home", "here"], {}).run_folder == Path("here")

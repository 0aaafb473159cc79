"""Data sets made to break the server that looks at them: one sentence, or their plain content; nothing elsewhere."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import pytest

from analysis.jobs.description import Description
from analysis.jobs.job import DATA, PHOTOS, UPLOAD, Job
from analysis.jobs.look import look
from analysis.jobs.models import Models
from analysis.views.runs.summary import summary_html
from tests.core.large_jobs import photo, write_parquet

ROW = {"tokens": ["Ada", "sings"], "ner_tags": ["B-PER", "O"], "lang": "en"}
OUTSIDE = ("../secret.jpg", "../../../../etc/passwd", "/etc/passwd", "..\\secret.jpg", "a/../../secret.jpg", "x\0.jpg")


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in the folder of a job, beside which lies a photo that is none of its own."""
    folder = tmp_path / "jobs" / "x"
    for name in (DATA, UPLOAD):
        (folder / name).mkdir(parents=True)
    (tmp_path / "jobs" / "secret.jpg").write_bytes(photo())
    monkeypatch.chdir(folder)
    monkeypatch.setenv("MMNER_CACHE", ".")
    return folder


def looked_at(job: Path) -> Description:
    """Look at the upload as the server does; whatever it is, nothing is written beside the job."""
    before = sorted(job.parent.rglob("*"))
    found = look(Path(), max_bytes=1_000_000, max_file=100_000, language=None)
    assert all(path.is_relative_to(job) for path in set(job.parent.rglob("*")) - set(before))
    assert found.problem.count("\n") == 0
    return found


def parquet(job: Path, *images: Any) -> None:
    """Write a row for each image."""
    write_parquet(job / DATA / "x.parquet", [{**ROW, "image": image} for image in images])


def name_photo(job: Path, suffix: str, name: str) -> None:
    """Write a sentence whose photo has a name."""
    if suffix == ".parquet":
        return parquet(job, name)
    (job / DATA / "x.conllu").write_text(f"# image_id = {name}\n0\tAda\tB-PER\n1\tsings\tO\n")


@pytest.mark.parametrize("suffix", [".parquet", ".conllu"])
@pytest.mark.parametrize("name", OUTSIDE[:-1])
def test_a_photo_elsewhere_is_not_shown(job: Path, suffix: str, name: str) -> None:
    """Without photos what the data call one is no path, whatever file there is; with photos it is refused."""
    name_photo(job, suffix, name)
    found = looked_at(job)
    assert (found.problem, found.photos.missing, found.photos.opened) == ("", 1, 0)
    summary = summary_html(Job(id="x", owner=None, file="x", created=0), found, Models.of({}, ["a:b"]), job)
    assert "photo missing" in summary and "<img" not in summary
    (job / PHOTOS).mkdir()
    assert f"x{suffix}" in looked_at(job).problem


@pytest.mark.parametrize("name", OUTSIDE)
def test_the_name_of_an_embedded_photo_leads_nowhere(job: Path, name: str) -> None:
    """Its content is kept under its digest, below the job's folder."""
    parquet(job, {"bytes": photo(), "path": name})
    found = looked_at(job)
    assert (found.problem, found.photos.present) == ("", 1)
    assert (job / found.first[0].photo).resolve().is_relative_to(job)


@pytest.mark.parametrize(
    "content",
    [b"", b"PAR1", b"PAR1junkPAR1", b"PAR1" + b"\xff" * 64 + b"\xff\xff\xff\x7fPAR1", b"# image_id = x\n" * 9],
    ids=["empty", "cut", "junk", "footer of 2 GB", "text"],
)
@pytest.mark.parametrize("suffix", [".parquet", ".conllu"])
def test_what_only_bears_the_ending_is_refused(job: Path, content: bytes, suffix: str) -> None:
    """In one sentence with its name."""
    (job / DATA / f"x{suffix}").write_bytes(content)
    assert f"x{suffix}" in looked_at(job).problem


@pytest.mark.parametrize(
    ("image", "broken"), [({"bytes": b"GIF89a" + b"\0" * 20, "path": None}, 1), ({"bytes": None, "path": None}, 0)]
)
def test_an_embedded_photo_that_is_none(job: Path, image: dict[str, Any], broken: int) -> None:
    """It is counted, and the sentence is read."""
    parquet(job, image, {"bytes": photo(), "path": "a.png"})
    found = looked_at(job)
    assert (found.problem, found.sentences, found.photos.broken) == ("", 2, broken)


def test_nothing_beside_the_data_of_a_zip_is_followed(job: Path) -> None:
    """A script and a description that name other data are left in it."""
    parquet(job, None)
    with zipfile.ZipFile(job / UPLOAD / "data.zip", "w") as archive:
        archive.write(job / DATA / "x.parquet", "x/x.parquet")
        archive.writestr("x/x.py", "raise SystemExit")
        archive.writestr("x/README.md", "---\nconfigs:\n- config_name: default\n  data_files: /etc/passwd\n---\n")
    (job / DATA / "x.parquet").unlink()
    found = looked_at(job)
    assert (found.problem, found.sentences) == ("", 1)
    assert "1 .md, 1 .py" in " ".join(found.notes)

"""Uploads in every format, looked at as the tab does: what is told of their sentences, types and photos."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis.jobs.maker import RunMaker, open_maker
from analysis.views.research.image_store import SMALL, data_uri
from mmner_core.data import convert
from mmner_core.errors import InputError
from mmner_core.serving.config import ServingConfig
from tests.analysis.making_runs import open_small_maker
from tests.core.large_jobs import photo, write_parquet

pytestmark = pytest.mark.slow  # each is read in a process of its own
DATA = Path(__file__).resolve().parents[1] / "data" / "tiny"
PHOTOS = DATA / "images"
TYPES = {"LOC": 3, "PER": 3, "ORG": 2, "MISC": 1}


@pytest.fixture
def maker(tmp_path: Path) -> RunMaker:
    """Return what makes runs."""
    return open_small_maker(tmp_path / "jobs")


def test_a_parquet_file_brings_sentences_and_photos(maker: RunMaker, tmp_path: Path) -> None:
    """Photos in its column image are there and opened; each row has a language of its own."""
    rows = [
        {"tokens": ["Anna", "Lee", "sings"], "ner_tags": ["B-PER", "I-PER", "O"], "lang": "en"},
        {"tokens": ["Ford", "baut", "Autos"], "ner_tags": ["B-ORG", "O", "O"], "lang": "de"},
        {"tokens": ["hello"], "ner_tags": ["O"], "lang": "en"},
        {"tokens": ["Lima"], "ner_tags": ["B-LOC"], "lang": "es"},
    ]
    images = [photo(9), photo(99), None, b"no photo"]
    shown = [None if data is None else {"bytes": data, "path": f"{i}.png"} for i, data in enumerate(images)]
    records = [{**row, "image": image} for row, image in zip(rows, shown, strict=True)]
    job, found = maker.look(None, write_parquet(tmp_path / "up" / "news.parquet", records))
    assert (found.data, found.sentences, found.words, found.untagged) == ("data/news.parquet", 4, 8, 0)
    assert found.languages == {"en": 2, "de": 1, "es": 1}
    assert found.types == {"PER": 1, "ORG": 1, "LOC": 1}
    photos = found.photos
    assert (photos.sentences, photos.present, photos.missing, photos.opened, photos.broken) == (3, 3, 0, 3, 1)
    first = maker.store.path(job) / found.first[0].photo
    assert first.read_bytes() == photo(9) and data_uri(first, 0, SMALL).startswith("data:image/webp")


def test_a_conllu_file_names_photos_of_a_folder_on_the_server(tmp_path: Path) -> None:
    """By its comments; the folder is one that the setting ``run_photos`` lists, under the name that the form shows."""
    empty = tmp_path / "other" / "images"
    empty.mkdir(parents=True)
    maker = open_maker(ServingConfig(run_home=tmp_path / "jobs", run_photos=(PHOTOS, empty)), {})
    assert list(maker.folders) == ["images", "other/images"]
    for folder, present in (("images", 6), ("other/images", 0)):
        job, found = maker.look(None, conllu(tmp_path / "news.conllu"), folder=folder, language="en")
        assert (found.sentences, found.languages, found.types) == (8, {"en": 8}, TYPES)
        assert (found.photos.sentences, found.photos.present, found.photos.missing) == (6, present, 6 - present)
        assert (maker.store.path(job) / found.first[0].photo).is_file() == bool(present)
        assert ("No photo was found" in " ".join(found.notes)) != bool(present)


def test_only_a_listed_folder_is_read(maker: RunMaker, tmp_path: Path) -> None:
    """Neither a path nor the name of another, and nothing is kept of the upload; one that is not there is told."""
    for folder in ("/etc", "../images", "images", str(PHOTOS)):
        with pytest.raises(InputError, match="no folder of photos"):
            maker.look(None, conllu(tmp_path / "news.conllu"), folder=folder)
    assert maker.store.all() == []
    with pytest.raises(InputError, match=r"run_photos: .*nowhere is no folder"):
        open_maker(ServingConfig(run_photos=(tmp_path / "nowhere",)), {})


def conllu(file: Path) -> Path:
    """Write a data set as CoNLL-U, to be taken away by the upload."""
    convert(DATA / "en" / "train.txt", file, target_format="conllu", overwrite=True)
    return file

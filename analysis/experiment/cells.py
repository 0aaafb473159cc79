"""Trains the cells of a grid, each once for all experiments that need it, resumable after a kill.

A cell is named by a digest of everything that it depends on (model, hyper-parameters, seed, the text files read), so
two experiments with the same model share it, and a changed setting never picks up an old result.
"""

from __future__ import annotations

import gc
import hashlib
import json
import logging
import shutil
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis.report.files import write_text
from mmner_core.checkpoints.folder import folder_digest
from mmner_core.data.layouts import find_files
from mmner_core.errors import InputError
from mmner_core.runtime.digests import file_digest
from mmner_core.runtime.json_files import read_object

if TYPE_CHECKING:
    from mmner_core.training.config import DataSource, Recipe
    from mmner_core.training.loop import Trainer
    from mmner_core.training.mixture import Mixture

log = logging.getLogger(__name__)
RECORD = "cell.json"
_KEY_LENGTH = 16
_REMEDY = "delete its folder to have it made anew"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One model of a grid.

    Attributes:
        label: what the first experiment that wanted it calls it.
        run: model and training, with this cell's seed.
        data: digest of each text file that is read, and of the checkpoint to begin with.
    """

    label: str
    run: Recipe
    data: dict[str, str]

    @property
    def seed(self) -> int:
        """Return the seed."""
        return self.run.training.seed

    @property
    def key(self) -> str:
        """Return the digest of everything that the cell depends on."""
        return digest_of({"run": asdict(self.run), "data": self.data})


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainedCell:
    """A finished cell.

    Attributes:
        cell: which.
        checkpoint: the weights of its best epoch on validation.
        facts: its record: best epoch and score on validation, sentences and steps, seconds, learnt temperature.
    """

    cell: Cell
    checkpoint: Path
    facts: dict[str, Any]


class CellTrainer:
    """Trains cells into one folder.

    Args:
        folder: of the cells; what is computed once of the images lies there too, for all of them.
        data: folder that the data sets lie in.
        base: the run that the cells vary.
        command: for the provenance.
    """

    def __init__(self, folder: Path, data: Path, base: Recipe, *, command: str) -> None:
        self.folder, self.data, self.base, self.command = folder, data, base, command
        self._mixture: Mixture | None = None
        self._digests: dict[Path, str] = {}

    def cell(self, label: str, run: Recipe, seed: int) -> Cell:
        """Describe a cell.

        Raises:
            InputError: if a data set is not there.
        """
        run = replace(run, training=replace(run.training, seed=seed))
        files = dict.fromkeys(file for source in run.training.train for file in self._files(source))
        data = {str(file.relative_to(self.data)): self._digest(file) for file in files}
        if run.training.init is not None:
            data["checkpoint to begin with"] = folder_digest(Path(run.training.init))
        return Cell(label=label, run=run, data=data)

    def train(self, cell: Cell) -> TrainedCell:
        """Train a cell, resume its training, or read what was trained before.

        Raises:
            InputError: if data or pretrained weights are missing or malformed.
        """
        folder = self.folder / cell.key
        checkpoint, record = folder / "checkpoint", folder / RECORD
        if record.is_file():
            log.info("%s, seed %d: trained already (%s)", cell.label, cell.seed, cell.key)
        else:
            log.info("%s, seed %d: training (%s)", cell.label, cell.seed, cell.key)
            facts = self._train(cell, folder, checkpoint)
            write_text(record, json.dumps(facts, indent=2) + "\n")
        # What only a training that goes on needs takes most of the place.
        shutil.rmtree(folder / "state", ignore_errors=True)
        (folder / "best.safetensors").unlink(missing_ok=True)
        return TrainedCell(cell=cell, checkpoint=checkpoint, facts=read_object(record, _REMEDY))

    def mixture(self) -> Mixture:
        """Return the data that the base run trains on and selects by."""
        from mmner_core.training.mixture import build_mixture

        if self._mixture is None:
            self._mixture = build_mixture(self.base.training, self.data)
        return self._mixture

    def _train(self, cell: Cell, folder: Path, checkpoint: Path) -> dict[str, Any]:
        from mmner_core.encoders.weights import find_text
        from mmner_core.training.finish import write_checkpoint
        from mmner_core.training.loop import Trainer

        started = time.perf_counter()
        tokenizer = cell.run.training.init or find_text(cell.run.model.text.name)
        trainer = Trainer(cell.run, self.data, folder, tokenizer)
        progress = trainer.train()
        trained = time.perf_counter() - started
        write_checkpoint(trainer, progress, checkpoint, tokenizer, name=cell.label, command=self.command)
        facts = {
            "label": cell.label,
            "seed": cell.seed,
            "key": cell.key,
            "best_epoch": progress.best_epoch,
            "epochs": progress.epoch,
            "valid_f1": progress.best,
            "train_sentences": len({id(item.example) for item in trainer.mixture.train}),
            "sentences_read": len(trainer.mixture.train) * progress.epoch,
            "steps": progress.step,
            "temperature": _temperature(trainer),
            "seconds_training": round(trained, 1),
            "seconds": round(time.perf_counter() - started, 1),
        }
        trainer.accelerator.free_memory()
        del trainer
        gc.collect()
        return facts

    def _files(self, source: DataSource) -> Sequence[Path]:
        found = [f.path for f in find_files(self.data / source.path).files if f.split in ("train", "valid")]
        return [*found, *([self.data / source.pairs] if source.pairs is not None else [])]

    def _digest(self, file: Path) -> str:
        if file not in self._digests:
            try:
                self._digests[file] = file_digest(file)
            except OSError as error:
                raise InputError(f"{file} cannot be read: {error.strerror}.") from error
        return self._digests[file]


def digest_of(record: object) -> str:
    """Return a short digest of something JSON-ready."""
    text = json.dumps(record, sort_keys=True, default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_KEY_LENGTH]


def _temperature(trainer: Trainer) -> float | None:
    if trainer.model.text_projection is None:
        return None
    return 1 / float(trainer.model.contrastive.inverse_temperature.detach())

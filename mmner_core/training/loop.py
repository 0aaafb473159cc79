"""The training loop: Accelerate underneath, one score per validation source, best epoch kept, exact resume.

It reads the train and valid splits and knows no other.
"""

from __future__ import annotations

import json
import logging
import math
import time
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import DataLoader

from mmner_core.config import parse
from mmner_core.data import Example
from mmner_core.data.text_files import write_lines
from mmner_core.encoders.tokenizer import load_tokenizer
from mmner_core.errors import InputError
from mmner_core.evaluation.scores import score
from mmner_core.inference.batches import predict_tags
from mmner_core.inference.image_loader import ImageLoader, PhotoFiles, StoredImages, can_store
from mmner_core.labels import without_types
from mmner_core.network.model import MMNER
from mmner_core.network.precision import multiplies_bfloat16
from mmner_core.runtime.atomic import atomic_folder, atomic_write, partial_folder, remove_leftovers, restore
from mmner_core.runtime.digests import file_digest
from mmner_core.runtime.json_files import read_object
from mmner_core.text.encoding import SubwordEncoder
from mmner_core.training.batching import Collator, Epoch, LengthBatches
from mmner_core.training.checks import check_mixture
from mmner_core.training.compiling import compile_layers
from mmner_core.training.config import Recipe, TrainConfig
from mmner_core.training.dropout import MaskPool, pool_dropout
from mmner_core.training.images.made_images import boxed_items, images_of_nothing, mosaic_items
from mmner_core.training.mixture import Mixture, build_mixture
from mmner_core.training.optim import build_optimizer, build_schedule
from mmner_core.training.start import start_from

log = logging.getLogger(__name__)
PATIENCE = timedelta(hours=12)
"""How long processes wait for the one that computes all images or writes a checkpoint."""


@dataclass(slots=True)
class TrainingProgress:
    """How far a run has come; saved with every epoch."""

    epoch: int = 0
    step: int = 0
    best: float = -1.0
    best_epoch: int = -1

    def to_file(self, file: Path) -> None:
        """Write as JSON."""
        file.write_text(json.dumps(asdict(self)))

    @classmethod
    def from_file(cls, file: Path) -> TrainingProgress:
        """Read back."""
        return cls(**json.loads(file.read_text()))


class Trainer:
    """One run in one folder: ``metrics.jsonl``, TensorBoard events, ``state`` to resume from, ``best`` weights.

    Args:
        run: model and hyper-parameters.
        data: folder that the run's sources are relative to.
        out: folder of the run.
        tokenizer: folder or hub name of the tokenizer.

    Raises:
        InputError: if data or pretrained weights are missing or malformed, or the data leave nothing to learn.
    """

    def __init__(self, run: Recipe, data: Path, out: Path, tokenizer: str | Path) -> None:
        from accelerate.utils import set_seed

        self.run, self.config, self.out = run, run.training, out
        self.mixture = self._read(data)
        out.mkdir(parents=True, exist_ok=True)
        self.accelerator = _accelerator(self.config, out)
        self.accelerator.init_trackers("tensorboard")
        set_seed(self.config.seed)
        self.model = MMNER.build(run.model)
        self._start()
        self.model.text_encoder.use_attention("eager" if self.accelerator.device.type == "cpu" else "sdpa")
        self.subwords = SubwordEncoder(
            load_tokenizer(tokenizer), max_subwords=self.config.window, word_position=run.model.text.word_position
        )
        self.nothing = self._make_images(data)
        self.images = self._image_loader(self.mixture)
        self.pools = self._speed_up()
        self._prepare()

    def _read(self, data: Path) -> Mixture:
        """Read the training data and check that there is something to learn."""
        mixture = build_mixture(self.config, data)
        check_mixture(mixture, self.config, self.run.model)
        return mixture

    def _start(self) -> None:
        """Give the new model its first weights."""
        start_from(self.model, self.run)

    def _speed_up(self) -> list[MaskPool]:
        """Apply settings that change only the speed and memory of a step; return the dropout pools."""
        if self.config.checkpoint_activations:
            for encoder in (self.model.text_encoder, self.model.vit_encoder, self.model.cnn_encoder):
                if encoder is not None:
                    encoder.checkpoint_activations()
        if self.config.compile_layers:
            compile_layers(self.model)
        # A mask from a pool cannot be drawn a second time for a forgotten activation, nor be compiled.
        plain = self.accelerator.device.type == "cpu" and not self.config.checkpoint_activations
        return pool_dropout(self.model.text_encoder) if plain and not self.config.compile_layers else []

    def _make_images(self, data: Path) -> list[Path]:
        """Add mosaics and photos with boxes to the sentences; return the images of nothing."""
        folder = self.out / "made_images"
        if self.config.boxes is not None:
            self.mixture.digests[f"train:{self.config.boxes}"] = file_digest(data / self.config.boxes)
        with self.accelerator.local_main_process_first():
            self.mixture.train.extend(mosaic_items(self.mixture.train, self.config, folder))
            self.mixture.train.extend(boxed_items(self.config, data, self.run.model))
            return images_of_nothing(self.config, folder)

    def _image_loader(self, mixture: Mixture) -> ImageLoader | None:
        config, device = self.run.model, self.accelerator.device
        if config.cnn is None and config.vit is None:
            return None
        if not (self.config.precompute_images and can_store(config)):
            return PhotoFiles(config)
        self.model.to(device)
        fast = self.config.precision != "no" and (device.type != "cpu" or multiplies_bfloat16())
        with self.accelerator.local_main_process_first():  # one process of a machine computes, the others read
            return StoredImages(
                self.model,
                mixture.with_images()
                + [Example(words=(), tags=(), image=file, where=str(file)) for file in self.nothing],
                self.out.parent / "features",
                torch.bfloat16 if fast else torch.float32,
            )

    def _prepare(self) -> None:
        self.epoch_data = Epoch(self.mixture.train, self.config, self.nothing)
        lengths = [
            sum(len(w.input_ids) for w in parts)
            for parts in self.subwords.windows([item.example.words for item in self.mixture.train])
        ]
        self.batches = LengthBatches(lengths, self.config, self.accelerator.num_processes)
        crop = not isinstance(self.images, StoredImages)
        loader = DataLoader(
            self.epoch_data,
            batch_sampler=self.batches,
            collate_fn=Collator(
                self.subwords,
                self.model.labels,
                self.run.model.conventions,
                self.images,
                random_crop=crop,
                grids=self.model.grids,
            ),
            num_workers=self.config.workers,
        )
        optimizer = build_optimizer(self.model, self.config)
        # The optimiser also steps at the end of an epoch, however few batches it has accumulated by then.
        together = self.config.accumulation * self.accelerator.num_processes
        total = sum(math.ceil(len(self.batches.batches(e)) / together) for e in range(self.config.epochs))
        schedule = build_schedule(optimizer, total, self.config)
        self.total_steps = total
        self.network, self.optimizer, self.loader = self.accelerator.prepare(self.model, optimizer, loader)
        self.schedule = schedule
        self.accelerator.register_for_checkpointing(schedule)

    def train(self) -> TrainingProgress:
        """Train from the last saved epoch to the end, or until patience runs out; return how far it came.

        Raises:
            InputError: if the folder holds another run.
        """
        state = self.out / "state"
        progress = self._resume(state)
        while progress.epoch < self.config.epochs:
            if progress.best_epoch >= 0 and progress.epoch - progress.best_epoch >= self.config.patience:
                log.info("no better score for %d epochs: stopping", self.config.patience)
                break
            self._train_epoch(progress)
            self._select(progress)
            self._save_state(state, progress)
        self.accelerator.end_training()
        return progress

    def _resume(self, state: Path) -> TrainingProgress:
        """Load the last saved state, if there is one, and drop what was logged after it."""
        if self.accelerator.is_main_process:
            note_run(self.out, self.run, self.mixture.digests)
            restore(state)
            remove_leftovers(self.out)
        self.accelerator.wait_for_everyone()
        progress = TrainingProgress()
        if state.is_dir():
            progress = TrainingProgress.from_file(state / "progress.json")
            self.accelerator.load_state(str(state))
            log.info("resuming after epoch %d", progress.epoch)
        file = self.out / "metrics.jsonl"
        if self.accelerator.is_main_process and file.is_file():
            lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
            kept = (x for x in lines if x.endswith("\n") and json.loads(x)["step"] <= progress.step)
            write_lines(file, kept, overwrite=True)
        return progress

    def _train_epoch(self, progress: TrainingProgress) -> None:
        from accelerate.utils import set_seed
        from tqdm import tqdm

        # Everything random in an epoch follows from (seed, epoch), so a resumed run equals an uninterrupted one.
        # Processes draw different dropout masks.
        set_seed(self.config.seed * 1000 + progress.epoch, device_specific=True)
        self.epoch_data.epoch = self.batches.epoch = progress.epoch
        for pool in self.pools:
            pool.redraw()
        self._train_mode()
        bar = tqdm(
            self.loader,
            desc=f"epoch {progress.epoch + 1}/{self.config.epochs}",
            unit="batch",
            mininterval=5,
            disable=not self.accelerator.is_main_process,
        )
        running: dict[str, float] = {}
        lost = 0
        for batch in bar:
            with self.accelerator.accumulate(self.network):
                losses = self._step(batch)
            progress.step += 1
            lost = 0 if math.isfinite(losses["total"]) else lost + 1
            if lost > self._bearable:
                raise InputError(_not_a_number(progress, self.config))
            for name, value in losses.items():
                running[name] = 0.98 * running.get(name, value) + 0.02 * value
            if progress.step % 50 == 0:
                bar.set_postfix({name: f"{value:.3f}" for name, value in running.items()})
                record = {f"loss/{name}": value for name, value in running.items()}
                self._log({**record, "lr": self.schedule.get_last_lr()[-1]}, progress)
        progress.epoch += 1

    @property
    def _bearable(self) -> int:
        """Steps in a row whose loss may be no number: with fp16, those over which the scale of the loss is found."""
        return 30 if self.config.precision == "fp16" else 0

    def _train_mode(self) -> None:
        """Switch dropout on, except in parts that this run does not train; modules frozen by the model stay in eval."""
        self.network.train()
        for part in self.model.children():
            if self.config.trainable and not any(p.requires_grad for p in part.parameters()):
                part.eval()

    def _step(self, batch: Any) -> dict[str, float]:
        with self.accelerator.autocast():
            losses = self.network(batch).losses
        self.accelerator.backward(losses["total"])
        if self.accelerator.sync_gradients:
            self.accelerator.clip_grad_norm_(self.network.parameters(), self.config.clip)
        self.optimizer.step()
        if self.accelerator.sync_gradients:
            self.schedule.step()
        self.optimizer.zero_grad()
        return {name: float(value.detach()) for name, value in losses.items()}

    def _select(self, progress: TrainingProgress) -> None:
        """Score every validation source; keep the weights if their mean is the best so far."""
        started = time.perf_counter()
        self.network.eval()
        scores = {}
        unannotated = {source.key: source.unannotated for source in self.config.valid}
        for path, examples in self.mixture.valid.items():
            predicted = [without_types(tags, unannotated[path]) for tags in self._predict(examples)]
            gold = [list(e.tags or ()) for e in examples]
            scores[path] = score(gold, predicted, strict=self.run.model.seqeval_strict)["micro"]["f1"]
        mean = sum(scores.values()) / len(scores)
        record = {**{f"valid/{path}": value for path, value in scores.items()}, "valid/mean": mean}
        self._log({**record, "valid_seconds": time.perf_counter() - started}, progress)
        log.info("epoch %d: %s", progress.epoch, {name: round(value, 4) for name, value in record.items()})
        if mean > progress.best:
            progress.best, progress.best_epoch = mean, progress.epoch
            if self.accelerator.is_main_process:
                from safetensors.torch import save_file

                with atomic_write(self.out / "best.safetensors") as file:
                    save_file({k: v.contiguous() for k, v in self.model.state_dict().items()}, file)

    def _predict(self, examples: list[Example]) -> list[list[str]]:
        """Tag sentences, each process a share."""
        from accelerate.utils import gather_object

        processes, own = self.accelerator.num_processes, self.accelerator.process_index
        with self.accelerator.autocast():
            tags = predict_tags(self.model, self.subwords, examples[own::processes], self.images)
        predicted: list[list[str]] = [[] for _ in examples]
        for process, share in enumerate(gather_object([tags])):
            predicted[process::processes] = share
        return predicted

    def _save_state(self, state: Path, progress: TrainingProgress) -> None:
        """Save everything needed to resume; a kill at any moment leaves the old state or the new one."""
        main = self.accelerator.is_main_process
        with atomic_folder(state, what="the training state") if main else nullcontext(partial_folder(state)) as partial:
            self.accelerator.wait_for_everyone()  # until the folder is there
            self.accelerator.save_state(str(partial))
            if main:
                progress.to_file(partial / "progress.json")
            self.accelerator.wait_for_everyone()  # until each process has put its part in
        self.accelerator.wait_for_everyone()

    def _log(self, record: dict[str, float], progress: TrainingProgress) -> None:
        if self.accelerator.is_main_process:
            self.accelerator.log(record, step=progress.step)
            with (self.out / "metrics.jsonl").open("a", encoding="utf-8") as lines:
                lines.write(json.dumps({"epoch": progress.epoch, "step": progress.step, **record}) + "\n")

    def best_weights(self) -> dict[str, torch.Tensor]:
        """Return the weights of the best epoch."""
        from safetensors.torch import load_file

        return load_file(self.out / "best.safetensors")


def note_run(out: Path, run: Recipe, data: Mapping[str, str]) -> None:
    """Record which run a folder holds, or compare with the record.

    Raises:
        InputError: if the folder holds a run of other settings or data, which could not be resumed exactly.
    """
    file = out / "run.json"
    if not file.is_file():
        record = {"run": asdict(run), "data": data}
        write_lines(file, [json.dumps(record, indent=2) + "\n"])
        return
    noted = read_object(file, "give another folder")
    # Read as a run, so that fields which the program has learnt since have the values they had by default.
    own = parse(Recipe, json.loads(json.dumps(asdict(run))), "this run")
    if parse(Recipe, noted["run"], str(file)) != own or noted["data"] != data:
        raise InputError(f"{out} holds a run of other settings or data ({file}); give another folder.")


def _not_a_number(progress: TrainingProgress, config: TrainConfig) -> str:
    return (
        f"The loss is no number at step {progress.step} (epoch {progress.epoch + 1}), so that nothing more is learnt; "
        f"lower the learning rates, now --set encoder_lr={config.encoder_lr:g} --set head_lr={config.head_lr:g}"
        + (", or try --set precision=no." if config.precision != "no" else ".")
    )


def _accelerator(config: TrainConfig, out: Path) -> Any:
    from accelerate import Accelerator
    from accelerate.state import AcceleratorState
    from accelerate.utils import DataLoaderConfiguration, DistributedDataParallelKwargs, InitProcessGroupKwargs

    AcceleratorState._reset_state()  # else the runs of a grid, trained in one process, could not differ in precision
    return Accelerator(
        mixed_precision=config.precision,
        gradient_accumulation_steps=config.accumulation,
        dataloader_config=DataLoaderConfiguration(even_batches=False, use_seedable_sampler=False),
        log_with="tensorboard",
        project_dir=out,
        kwargs_handlers=[
            DistributedDataParallelKwargs(find_unused_parameters=True),  # a batch may hold no image
            InitProcessGroupKwargs(timeout=PATIENCE),
        ],
    )

"""The load test: start the app if need be, let the visitors in, watch the app's memory, sum up."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmner_core.errors import InputError
from mmner_core.runtime.interrupts import held
from mmner_core.runtime.repository import REPOSITORY
from tests.load.app_process import AppProcess, running_app
from tests.load.attacks.attack import Attack
from tests.load.hostile import attack_in_turn, fetch_config, own_address, second_round
from tests.load.hostile_report import HostileReport
from tests.load.kill import answer_once, kill_and_restart
from tests.load.memory import MemoryCurve, listening_process
from tests.load.outcome import Kill, LoadReport
from tests.load.questions import draw_photos
from tests.load.visitors import World, visit

WARM_UP = 60.0  # seconds, or a fifth of the test where that is less


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadPlan:
    """How hard the app is tried.

    Attributes:
        visitors: how many at once.
        seconds: for how long they ask.
        think: mean seconds between an answer and the visitor's next question.
        photo_share: how many of the questions have a photo, from 0 to 1.
        kill: whether to kill the app in the middle and start it again.
        seed: of what is asked and when.
        attacks: what a hostile visitor does meanwhile; none: there is no such visitor.

    Raises:
        InputError: if the app is to be attacked and killed: what is lost could be either's fault.
    """

    visitors: int = 50
    seconds: float = 300.0
    think: float = 5.0
    photo_share: float = 0.5
    kill: bool = False
    seed: int = 19
    attacks: tuple[Attack, ...] = ()

    def __post_init__(self) -> None:
        if self.kill and self.attacks:
            raise InputError("--kill and --hostile are two tests; run one after the other.")

    @property
    def warm_up(self) -> float:
        """Seconds after a start until memory is taken as settled."""
        life = self.seconds / 2 if self.kill else self.seconds
        return min(WARM_UP, life / 5)


def run_against(plan: LoadPlan, url: str) -> LoadReport:
    """Test an app that runs; its memory is measured where it runs on this machine.

    Raises:
        InputError: if it does not answer, or is to be killed.
    """
    if plan.kill:
        raise InputError("Only an app that the load test starts itself is killed; leave out --url or --kill.")
    if plan.attacks:
        url = own_address(url)
    return asyncio.run(_run(plan, url.rstrip("/"), listening_process(url), None, []))


def run_with_own_app(plan: LoadPlan, checkpoint: Path) -> LoadReport:
    """Start the app with a checkpoint, test it, stop it.

    Raises:
        InputError: if there is no checkpoint, the app does not start, or it cannot answer with that checkpoint.
    """
    if not checkpoint.is_dir():  # what is in it the app judges
        raise InputError(f"There is no checkpoint folder {checkpoint}.")
    with held(), tempfile.TemporaryDirectory(prefix="load-test-") as folder:
        options = _with_twins(checkpoint, Path(folder, "models")) if plan.attacks else ()
        with running_app(checkpoint, Path(folder), *options) as app:
            return asyncio.run(_run(plan, app.url, app.pid, app, [checkpoint, REPOSITORY / "analysis" / "demo"]))


def _with_twins(checkpoint: Path, folder: Path) -> tuple[str, ...]:
    """Return the options of an app that offers the model twice more: there must be models to choose from."""
    for name in ("twin-1", "twin-2"):
        (folder / name).mkdir(parents=True)
        for file in checkpoint.iterdir():
            (folder / name / file.name).symlink_to(file)
    return ("--checkpoints", str(folder))


async def _run(plan: LoadPlan, url: str, pid: int | None, app: AppProcess | None, read_only: list[Path]) -> LoadReport:
    photos = draw_photos(plan.seed)
    await answer_once(url)  # loading the model is no part of what visitors are timed for
    config = await fetch_config(url) if plan.attacks else None
    clock = time.perf_counter()
    world = World(
        url=url,
        clock=clock,
        end=clock + plan.seconds,
        think=plan.think,
        photo_share=plan.photo_share,
        photos=photos,
        clicks=bool(plan.attacks),
    )
    visits = [asyncio.create_task(visit(world, i, plan.seed)) for i in range(plan.visitors)]
    memory = MemoryCurve()
    watching = asyncio.create_task(memory.watch(pid, clock)) if pid else None
    attacking = attack_in_turn(url, config, plan.attacks, clock=clock, seconds=plan.seconds) if config else None
    spells = await attacking if attacking else []
    kill: Kill | None = None
    if plan.kill and app is not None:
        await asyncio.sleep(plan.seconds / 2)
        kill = await kill_and_restart(world, app, read_only)
        world.end = time.perf_counter() + plan.seconds / 2  # the visitors' time, the app's absence not counted
        memory = MemoryCurve()  # the dead process has taken its memory with it
        watching = asyncio.create_task(memory.watch(app.pid, clock))
    await asyncio.gather(*visits)
    if watching:
        watching.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watching
    measured: dict[str, Any] = {
        "visitors": plan.visitors,
        "seconds": time.perf_counter() - clock,
        "outcomes": world.outcomes,
        "memory": memory,
    }
    if spells:
        return HostileReport(**measured, warm_up=second_round(spells), spells=spells)
    return LoadReport(**measured, warm_up=plan.warm_up + ((world.back or clock) - clock), kill=kill)

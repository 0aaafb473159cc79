"""The hostile visitor of a load test: what it may be let at, that it goes through every attack, and the verdict."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import AsyncGenerator

import pytest

from mmner_core.errors import InputError
from tests.load.attacks.attack import CUT_OFF, Attack
from tests.load.attacks.attacker import Attacker
from tests.load.attacks.bodies import SIDE, huge_photo, nested_lists
from tests.load.attacks.table import ATTACKS, choose_attacks
from tests.load.hostile import Onslaught, attack_in_turn, own_address, second_round
from tests.load.hostile_report import HostileReport
from tests.load.memory import MemoryCurve
from tests.load.outcome import Fate, Outcome
from tests.load.run import LoadPlan
from tests.told import refused

pytestmark = pytest.mark.slow  # tests a tool of the tests
URL = "http://127.0.0.1:9"  # nothing listens there


def quick(name: str, *answers: str) -> Attack:
    """Make an attack of two lanes, each with those answers, then none for a minute."""

    async def steps(attacker: Attacker, lane: int) -> AsyncGenerator[str, None]:
        for answer in answers:
            yield answer
        await asyncio.sleep(60)
        yield "too late"

    return Attack(name=name, does="nothing", steps=steps, lanes=2, pause=0.0)


def asked(started: float, fate: Fate = "answered", seconds: float = 0.1) -> Outcome:
    """Make what became of a question of somebody else."""
    return Outcome(kind="text", fate=fate, started=started, seconds=seconds, told="Come back later.")


def report(*outcomes: Outcome) -> HostileReport:
    """Make the report of ten calm seconds before and after ten of an attack."""
    spells = [
        Onslaught(name="calm", started=0.0, ended=10.0),
        Onslaught(name="junk", started=10.0, ended=20.0, answers=Counter({"429": 3, "200": 1})),
        Onslaught(name="calm", started=20.0, ended=30.0),
    ]
    memory = MemoryCurve(samples=[])
    return HostileReport(
        visitors=2, seconds=30.0, outcomes=outcomes, memory=memory, warm_up=second_round(spells), spells=spells
    )


@pytest.mark.parametrize("url", ["http://127.0.0.1:7860/", "http://localhost:7860"])
def test_it_attacks_an_app_of_this_machine(url: str) -> None:
    """By the address at which visitors can have addresses of their own."""
    assert own_address(url) == "http://127.0.0.1:7860"


@pytest.mark.parametrize(
    "url", ["http://example.org", "http://10.0.0.1:7860", "http://[::1]:7860", "http://127.0.0.1.x"]
)
def test_it_attacks_nobody_else(url: str) -> None:
    """One sentence, before anything is sent."""
    with pytest.raises(InputError, match="only let at an app of this machine"):
        own_address(url)


def test_attacks_are_chosen_by_name() -> None:
    """In the order given, each once; all without a name; an unknown name is told with the known ones."""
    assert [attack.name for attack in choose_attacks(["junk", "clicks", "junk"])] == ["junk", "clicks"]
    assert choose_attacks([]) == tuple(ATTACKS.values())
    with refused("'nope'", "clicks"):
        choose_attacks(["nope"])
    with pytest.raises(InputError, match="two tests"):
        LoadPlan(kill=True, attacks=choose_attacks(["junk"]))


def test_it_goes_through_the_attacks_twice_with_calm_between() -> None:
    """One after the other until the time is up; what is unanswered when an attack ends counts, too."""
    attacks = [quick("one", "200", "429"), quick("two", "503")]
    spells = asyncio.run(attack_in_turn(URL, {}, attacks, clock=time.perf_counter(), seconds=0.7))
    assert [spell.name for spell in spells] == ["calm", "one", "two", "calm", "one", "two", "calm"]
    assert spells[1].answers == {"200": 2, "429": 2, CUT_OFF: 2}
    assert spells[5].answers == {"503": 2, CUT_OFF: 2}
    assert [spell.ended for spell in spells[:-1]] == pytest.approx([spell.started for spell in spells[1:]], abs=0.5)
    assert spells[-1].ended >= 0.69
    assert second_round(spells) == spells[3].started


def test_a_fault_of_an_attack_is_not_taken_for_an_answer() -> None:
    """An attack that does not do what it should ends the test."""

    async def broken(attacker: Attacker, lane: int) -> AsyncGenerator[str, None]:
        yield "200"
        raise KeyError("wb-run")

    async def run() -> Counter[str]:
        async with Attacker(URL, "127.0.2.1", {}) as attacker:
            return await Attack(name="x", does="", steps=broken).run(attacker, 5)

    with pytest.raises(KeyError):
        asyncio.run(run())


def test_an_app_that_is_gone_is_an_answer_of_its_own() -> None:
    """Requests in every form end in words, not in an exception."""

    async def run() -> set[str]:
        async with Attacker(URL, "127.0.2.1", {}) as attacker:
            return {
                await attacker.post("call/tag", {"data": []}),
                await attacker.get("info"),
                await attacker.send_raw("GET / HTTP/1.1"),
                (await attacker.upload(huge_photo()))[0],
            }

    assert asyncio.run(run()) == {"connection closed"}


def test_what_it_sends_is_what_it_says() -> None:
    """Lists as deep and as big as told, and 45 megapixels in a small file."""
    body = nested_lists(1_000_000, 100)
    assert 990_000 < len(body) <= 1_000_000
    item = json.loads(body)[0]
    for _ in range(99):
        (item,) = item
    assert item == []
    assert len(huge_photo().content) < 1_000_000
    assert SIDE**2 > 44e6


def test_others_who_are_answered_are_no_problem() -> None:
    """Their waiting is told attack by attack, beside the answers to the attack."""
    fine = report(asked(1.0), asked(11.0, seconds=1.0), asked(12.0, seconds=1.5))
    assert fine.problems() == []
    row = fine.to_json()["attacks"]["junk"]
    assert (row["requests"], row["answers"], row["answered"]) == (4, {"429": 3, "200": 1}, 2)
    assert row["others"]["p50"] == pytest.approx(1.25)


@pytest.mark.parametrize(
    ("outcome", "told"),
    [
        (asked(11.0, "busy"), "During junk, of 3 questions of others 1 refused"),
        (asked(25.0, "busy"), "Between attacks, of 2 questions of others 1 refused"),
        (asked(11.0, "lost"), "During junk, of 3 questions of others 1 lost"),
        (asked(11.0, "error"), "During junk, of 3 questions of others 1 answered with an error"),
    ],
)
def test_refusing_or_losing_others_is_a_problem(outcome: Outcome, told: str) -> None:
    """Also what is a courtesy where nobody attacks: to ask somebody to come back later."""
    assert told in " ".join(report(asked(5.0), asked(12.0), asked(13.0), outcome).problems())


def test_having_others_wait_is_a_problem() -> None:
    """Half of them for longer than two seconds during any attack, or one of twenty for longer than five in all."""
    slow = [asked(11.0 + i, seconds=3.0) for i in range(3)]
    assert report(*slow).problems() == ["During junk, the others' median was 3.0 s; 2.0 s are allowed."]
    late = [asked(10 + i / 6, seconds=0.1 if i % 8 else 9.0) for i in range(120)]
    assert report(*late).problems() == ["The others' 95th percentile is 9.0 s; 5.0 s are allowed."]


def test_a_slow_machine_is_not_the_attackers_fault() -> None:
    """Where the others waited for long before the first attack, twice as long is allowed during one."""
    before = [asked(float(i), seconds=2.0) for i in range(3)]
    assert report(*before, *[asked(11.0 + i, seconds=3.9) for i in range(3)]).problems() == []
    (told,) = report(*before, *[asked(11.0 + i, seconds=4.1) for i in range(3)]).problems()
    assert told == "During junk, the others' median was 4.1 s; 4.0 s are allowed."

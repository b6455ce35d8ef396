"""A drive's stay: that others are kept out of an empty drive before anything else is done about it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tapekey.errors import StoreFailed
from tapekey.exchange import Transport
from tapekey.policy.facts import Stance
from tapekey.service import duties, moments
from tapekey.service.door import Sight
from tapekey.service.duties import Hands
from tapekey.service.events import Cause
from tapekey.service.inbox import Terms
from tapekey.service.ledger import Upshot
from tapekey.service.moments import AtRest
from tapekey.service.own_nexus import OwnNexus
from tapekey.service.view import State
from tapekey.service.visit import CLEAR
from tests.rig import Rig, rig
from tests.service.crew import crew, until


@dataclass
class Gate:
    """A door that keeps others out, and what it was told."""

    nexus: OwnNexus
    held: bool = False
    keeps_others_out: bool = True
    told: list[str] = field(default_factory=list)

    def look(self) -> Sight:
        return self.nexus.look()

    def shut(self) -> bool:
        self.held = True
        self.told.append("shut")
        return True

    def release(self) -> None:
        self.held = False
        self.told.append("release")


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Rig]:
    with rig(tmp_path, inserted=False) as made:
        yield made


def gated(doors: list[Gate]) -> dict[str, Any]:
    def door(device: Transport) -> Gate:
        doors.append(Gate(OwnNexus(device)))
        return doors[-1]

    return {"door": door, "gate": True}


def test_others_are_kept_out_before_the_empty_drive_is_brought_to_rest(
    bench: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.rule(Stance.REQUIRE, "*", "site", "partner")
    doors: list[Gate] = []
    held: list[bool] = []
    shipped = moments.rest

    def seen(transport: Transport, hands: Hands) -> AtRest:
        held.append(doors[-1].held)
        return shipped(transport, hands)

    monkeypatch.setattr(moments, "rest", seen)

    with crew(bench, **gated(doors)) as made:
        made.until(State.EMPTY)
        until(lambda: made.worker.view.guards)

    assert held[0]


def test_store_that_does_not_answer_leaves_the_gate_of_an_empty_drive_shut(
    bench: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.rule(Stance.REQUIRE, "*", "site", "partner")
    doors: list[Gate] = []

    def fail(*_: object) -> None:
        raise StoreFailed("the keystore is busy")

    monkeypatch.setattr(moments, "rest", fail)
    with crew(bench, **gated(doors)) as made:
        made.until(State.FAILED)
        assert doors[-1].held


def test_drive_that_may_rest_open_is_let_go(bench: Rig) -> None:
    bench.rule(Stance.OBSERVE, "*")
    doors: list[Gate] = []

    with crew(bench, **gated(doors)) as made:
        made.until(State.EMPTY)
        until(lambda: "release" in doors[-1].told)
        until(lambda: not doors[-1].held)


@pytest.mark.parametrize("taken", [True, False], ids=["a robot took the cartridge", "the cartridge is there"])
def test_key_that_is_gone_is_an_alarm_only_if_the_cartridge_is_still_there(
    bench: Rig, monkeypatch: pytest.MonkeyPatch, taken: bool
) -> None:
    bench.rule(Stance.REQUIRE, "*", "site", "partner")

    def on_close(*_: object) -> str:
        if taken:
            bench.machine.eject()
        return "no parameters stand in the drive"

    monkeypatch.setattr(moments, "on_close", on_close)
    with crew(bench) as made:
        made.until(State.EMPTY)
        made.insert(bench.directory / "cartridge")
        made.until(State.READY_TO_WRITE)
        made.post(Cause.CLOSED)
        until(lambda: made.state is State.EMPTY if taken else made.alarms.recent())

    assert any("its key may be gone" in alarm for alarm in made.alarms.recent()) is not taken


def test_clear_data_on_a_cartridge_that_was_never_here_is_an_alarm_once(bench: Rig) -> None:
    place = bench.directory / "cartridge"
    bench.rule(Stance.REQUIRE, "*", "site", "partner")
    bench.insert(place)
    bench.write()
    bench.eject()

    with crew(bench) as made:
        for _ in range(2):
            made.until(State.EMPTY)
            made.insert(place)
            made.until(State.READY_TO_READ)
            bench.eject()
        told = [alarm for alarm in made.alarms.recent() if CLEAR in alarm]

    assert len(told) == 1


def test_clear_data_is_told_even_if_the_first_try_failed_behind_the_first_look(
    bench: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.rule(Stance.REQUIRE, "*", "site", "partner")
    bench.insert(bench.directory / "cartridge")
    bench.write()
    shipped, failures = duties.make_ready, [StoreFailed("the keystore is busy")]

    def at_the_second_try(transport: Transport, hands: Hands, terms: Terms, *, load: bool = False) -> Upshot:
        if failures:
            raise failures.pop()
        return shipped(transport, hands, terms, load=load)

    monkeypatch.setattr(duties, "make_ready", at_the_second_try)
    with crew(bench) as made:
        made.until(State.READY_TO_READ)
        assert any(CLEAR in alarm for alarm in made.alarms.recent())

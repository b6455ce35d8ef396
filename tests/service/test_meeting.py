"""What an asker is answered, refused, or waits for: each wish over a real drive, without a thread."""

import time
from pathlib import Path
from typing import Any

import pytest

from tapekey.errors import Conflict, Refused, Taken
from tapekey.policy.facts import Intent, Stance
from tapekey.service.door import Presence, Sight
from tapekey.service.inbox import Ask, Terms, Wish
from tapekey.service.meeting import meet
from tapekey.service.own_nexus import OwnNexus
from tapekey.service.stay import Finding
from tapekey.service.view import State
from tapekey.turns import turn
from tests.rig import rig
from tests.service.bench import visit

ABOUT = "", ""


class Occupied(OwnNexus):
    """Another program has the drive."""

    def look(self) -> Sight:
        return Sight(Presence.HELD)

    def shut(self) -> bool:
        return False


def ask(wish: Wish = Wish.READY, seconds: float = 60.0, **terms: Any) -> Ask:
    return Ask(wish, time.monotonic() + seconds, Terms(**terms))


def told(asked: Ask) -> Any:
    return asked.wait(lambda: ABOUT)


def test_ready_is_said_behind_a_whole_operation_and_for_what_was_asked(tmp_path: Path) -> None:
    with rig(tmp_path) as bench:
        stay, asked = visit(bench), ask(intent=Intent.SAVE)
        assert meet(stay, asked)
        assert (told(asked)["phase"], told(asked)["encrypted"]) == ("ready to write", True)


def test_a_mount_that_stands_is_looked_at_and_not_made_anew(tmp_path: Path) -> None:
    with rig(tmp_path) as bench:
        stay = visit(bench)
        stay.arrive(Terms())
        stay.word = None  # of a round before
        asked = ask(intent=Intent.SAVE)
        assert meet(stay, asked)
        assert told(asked)["phase"] == "ready to write"
        assert stay.book.view.generation == 1


def test_a_key_that_does_not_stand_any_more_is_not_said_to_be_ready(tmp_path: Path) -> None:
    with rig(tmp_path) as bench:
        stay = visit(bench)
        stay.arrive(Terms())
        stay.word = None
        bench.machine.reset()
        bench.settled  # noqa: B018 - what the reset tells is collected
        asked = ask(intent=Intent.SAVE)
        assert meet(stay, asked)
        assert told(asked)["phase"] == "ready to write"
        assert stay.book.view.generation == 2


@pytest.mark.parametrize("state", [Finding.SETTLING, Finding.TAKEN])
def test_a_drive_that_may_become_ready_is_waited_for(state: Finding, tmp_path: Path) -> None:
    with rig(tmp_path) as bench:
        stay, asked = visit(bench), ask()
        stay.book.find(state)
        assert not meet(stay, asked)
        assert not asked.over


def test_a_cartridge_that_is_on_its_way_is_waited_for(tmp_path: Path) -> None:
    with rig(tmp_path, inserted=False) as bench:
        stay, asked = visit(bench), ask(loaded=True)
        stay.book.find(Finding.EMPTY)
        assert not meet(stay, asked)


def test_the_refusal_is_the_answer(tmp_path: Path) -> None:
    with rig(tmp_path) as bench:
        bench.rule(Stance.REQUIRE, "*", "site", "partner")
        stay, asked = visit(bench), ask(volsers=("XYZ001L6",))
        assert meet(stay, asked)
        with pytest.raises(Refused, match="name different volumes"):
            told(asked)


def test_nobody_is_made_ready_for_who_does_not_wait_any_more(tmp_path: Path) -> None:
    with rig(tmp_path) as bench:
        stay = visit(bench)
        assert meet(stay, ask(seconds=-1.0))
        assert stay.book.state is State.PENDING


def test_a_cartridge_that_software_has_stays_and_its_asker_is_told(tmp_path: Path) -> None:
    with rig(tmp_path) as bench:
        stay, asked = visit(bench, Occupied(bench.host)), ask(Wish.UNLOAD)
        with pytest.raises(Conflict, match="stays in drive"):
            meet(stay, asked)
        with pytest.raises(Conflict, match="stays in drive"):
            told(asked)


def test_who_asks_while_another_of_ours_works_on_the_drive_waits(tmp_path: Path) -> None:
    with rig(tmp_path) as bench:
        stay, asked = visit(bench), ask(Wish.UNLOAD)
        with turn(bench.serial, stay.hands.runtime), pytest.raises(Taken):
            meet(stay, asked)
        assert not asked.over


def test_an_unload_tells_the_account_and_of_an_empty_drive_that_it_is_empty(tmp_path: Path) -> None:
    with rig(tmp_path) as bench:
        stay, asked = visit(bench), ask(Wish.UNLOAD)
        stay.arrive(Terms())
        assert meet(stay, asked)
        assert told(asked)["accounted"]
        stay.book.find(Finding.EMPTY)
        again = ask(Wish.UNLOAD)
        assert meet(stay, again)
        assert told(again)["phase"] == "empty"


def test_to_verify_is_to_look_whatever_there_is(tmp_path: Path) -> None:
    with rig(tmp_path) as bench:
        stay = visit(bench)
        stay.arrive(Terms())
        stay.word = None
        bench.machine.reset()
        bench.settled  # noqa: B018 - what the reset tells is collected
        asked = ask(Wish.VERIFY)
        assert meet(stay, asked)
        assert told(asked)["phase"] == "to be verified again"

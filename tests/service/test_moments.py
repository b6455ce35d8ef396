"""What is done at each moment of a stay, and who is told: each by one call over a real drive."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tapekey.errors import HardwareFailed
from tapekey.policy.facts import Stance
from tapekey.service import moments
from tapekey.service.attentions import Attentive
from tapekey.service.inbox import Terms
from tapekey.service.moments import AtRest
from tapekey.service.stay import Finding
from tests.mount import resting, tampering
from tests.rig import Rig, check_condition, faulty, rig
from tests.service.bench import hands, visit


def keyed(bench: Rig) -> None:
    """Made ready by a worker that has gone."""
    visit(bench).arrive(Terms())


def reset(bench: Rig) -> None:
    keyed(bench)
    bench.machine.reset()


def put_in_again(bench: Rig) -> None:
    keyed(bench)
    place = bench.inside
    bench.eject()
    bench.insert(place)


def stolen(bench: Rig) -> None:
    keyed(bench)
    tampering.set_foreign_key(bench)


# fmt: off
RESUMED: dict[str, tuple[Callable[[Rig], object], bool, Finding | None, int]] = {
    "nothing of ours":              (lambda bench: None, False, None,             0),
    "a mount of ours":              (keyed,              False, Finding.WRITABLE, 0),
    "its key is gone":              (reset,              False, Finding.REFUSED,  1),
    "its key is gone by a reset":   (reset,              True,  None,             1),
    "it was put in again":          (put_in_again,       False, None,             0),
    "somebody else's key":          (stolen,             False, Finding.LEFT,     1),
}
# fmt: on


@pytest.mark.parametrize(("prepare", "was_reset", "finding", "alarms"), RESUMED.values(), ids=RESUMED)
def test_what_stands_in_a_drive_goes_on_or_is_told_or_is_made_ready_anew(
    prepare: Callable[[Rig], object], was_reset: bool, finding: Finding | None, alarms: int, tmp_path: Path
) -> None:
    with rig(tmp_path) as bench:
        prepare(bench)
        used = hands(bench)
        found = moments.resume(used.transport, used, was_reset=was_reset)
        assert (found.finding if found else None) is finding
        assert len(used.alarms.recent()) == alarms
        assert dict(used.alarms.counts())["adopted"] == (finding is Finding.WRITABLE)


# fmt: off
AT_REST = {
    "gate, require": (Stance.REQUIRE, True,  True),
    "no gate":       (Stance.REQUIRE, False, False),
    "observe":       (Stance.OBSERVE, True,  False),
}
# fmt: on


@pytest.mark.parametrize(("stance", "gate", "shut"), AT_REST.values(), ids=AT_REST)
def test_an_empty_drive_stays_shut_only_by_the_gate_and_never_under_observe(
    stance: Stance, gate: bool, shut: bool, tmp_path: Path
) -> None:
    with rig(tmp_path, inserted=False) as bench:
        resting.default(bench, stance)
        used = hands(bench, gate=gate)
        found = moments.rest(used.transport, used)
        assert found.shut is shut
        assert ("gate" in found.guards) is shut
        assert found.prevents is (stance is Stance.REQUIRE)


def test_nothing_but_the_gate_is_where_others_are_shut_out_of_a_drive_that_would_write() -> None:
    told = {rest: moments.only_gate(rest) for rest in (AtRest(shut=True), AtRest(shut=True, prevents=True), AtRest())}
    assert list(told.values()) == [True, False, False]
    assert not moments.only_gate(None)


def test_a_cartridge_is_known_once_we_came_further_than_its_load(tmp_path: Path) -> None:
    with rig(tmp_path) as bench:
        used = hands(bench)
        assert not moments.on_load(used.transport, used).known
        assert not moments.on_load(used.transport, used).known
        keyed(bench)
        again = moments.on_load(used.transport, used)
        assert again.known
        assert again.loads == 1


def test_what_software_did_is_put_down_and_its_key_stands(tmp_path: Path) -> None:
    with rig(tmp_path) as bench:
        stay = visit(bench)
        stay.arrive(Terms())
        bench.write()
        assert stay.mount is not None
        assert moments.on_close(stay.hands.transport, stay.hands, stay.mount) == ""
        assert dict(stay.hands.alarms.counts())["accounts"] == 1
        tampering.clear_key(bench)
        assert "no parameters stand" in moments.standing(bench.settled, stay.hands, stay.mount)


def test_a_cartridge_that_cannot_be_read_now_has_no_name(tmp_path: Path) -> None:
    with rig(tmp_path) as bench:
        used = hands(bench)
        assert moments.names(used)[1] == "ENC001L6"
        broken = faulty(bench.host, when=lambda _: True, reply=check_condition(4, 0x44, 0), times=-1)
        with pytest.raises(HardwareFailed):
            moments.on_load(broken, used)
        used.transport = Attentive(broken)
        assert moments.names(used) == ("", "")

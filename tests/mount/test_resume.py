"""What an agent makes of a drive that was mounted before it started."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tapekey.drive import load
from tapekey.errors import HardwareFailed
from tapekey.manager.questions import Account
from tapekey.mount.resume import Foreign, Ours, Resumed, Unexplained, Unkeyed, resume
from tests.mount import resting, tampering
from tests.rig import PLAIN, Rig, check_condition, faulty, page, rig


def resumed(agent: Rig) -> Resumed:
    load.presence(agent.host)
    return resume(agent.host, agent.manager)


def _saved(agent: Rig) -> None:
    agent.save()


def _accounted(agent: Rig) -> None:
    agent.save()
    agent.manager.account(resting.current(agent), Account())


def _cleared(agent: Rig) -> None:
    agent.save()
    tampering.clear_key(agent)


def _swapped(agent: Rig) -> None:
    agent.save()
    agent.eject()
    agent.insert(agent.cartridge("other", "ENC002L6"))


def _overtaken(agent: Rig) -> None:
    agent.save()
    tampering.set_foreign_key(agent)


# fmt: off
FOUND: dict[str, tuple[Callable[[Rig], object], type, str]] = {
    "nothing":                (lambda agent: None,  Unkeyed,     "no mount of this cartridge is open"),
    "a mount of ours":        (_saved,              Ours,        ""),
    "its books closed":       (_accounted,          Unkeyed,     "the books of its mount are closed"),
    "its key gone":           (_cleared,            Unexplained, "is gone from the drive"),
    "another cartridge":      (_swapped,            Unkeyed,     "no mount of this cartridge is open"),
    "somebody else's key":    (_overtaken,          Foreign,     "set by somebody else"),
    "a key without a mount":  (tampering.set_foreign_key, Foreign, "set by somebody else"),
}
# fmt: on


@pytest.mark.parametrize("case", FOUND)
def test_what_is_found_is_what_is_there(case: str, tmp_path: Path) -> None:
    prepare, expected, why = FOUND[case]
    with rig(tmp_path) as agent:
        prepare(agent)
        found = resumed(agent)
        assert isinstance(found, expected)
        assert why in getattr(found, "why", "")


def test_mount_of_ours_is_the_one_on_record(tmp_path: Path) -> None:
    with rig(tmp_path) as agent:
        agent.save()
        assert resumed(agent) == Ours(resting.current(agent))


def test_a_parked_key_is_no_mount(tmp_path: Path) -> None:
    with resting.drive(tmp_path) as agent:
        resting.rest(agent)
        agent.insert(agent.directory / "cartridge")
        found = resumed(agent)
        assert isinstance(found, Unkeyed)
        assert found.parked


def test_nothing_is_changed_and_the_tape_is_not_moved(tmp_path: Path) -> None:
    with rig(tmp_path) as agent:
        agent.save()
        agent.write(PLAIN)
        host = tampering.watched(agent.settled)
        resume(host, agent.manager)
        asked = {command.cdb[0] for command in host.seen}
        assert not tampering.changes(host.seen)
        assert not asked & {0x01, 0x11, 0x2B, 0x92, 0x08, 0x1B, 0x19}


@pytest.mark.parametrize("prepare", [_saved, _cleared, _overtaken])
def test_an_error_is_not_taken_for_an_empty_set(prepare: Callable[[Rig], None], tmp_path: Path) -> None:
    """The drive's own status page cannot be read, when asked by whoever compares."""
    with rig(tmp_path) as agent:
        prepare(agent)
        load.presence(agent.host)
        broken = faulty(agent.host, when=page(0xA2, 0x20), reply=check_condition(4, 0x44, 0), after=1, times=-1)
        with pytest.raises(HardwareFailed):
            resume(broken, agent.manager)

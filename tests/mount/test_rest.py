"""An empty drive at rest, and given back."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tapekey.drive import guard, modes
from tapekey.drive.qualification import Trial
from tapekey.errors import Conflict, Refused
from tapekey.keystore import drives
from tapekey.mount import rest
from tapekey.mount.rest import Rest
from tapekey.policy.facts import Guard, Stance
from tests.mount import resting, tampering
from tests.mount.resting import GUARDED, PARKING, Killed, drive
from tests.rig import Rig
from tests.told import PROPERTY


def test_a_drive_that_can_refuse_clear_writes_rests_closed(tmp_path: Path) -> None:
    with drive(tmp_path, GUARDED) as agent:
        assert not guard.look(agent.settled).closed

        found = resting.rest(agent)

        assert (found.rest, found.parked) == (Rest.CLOSED, "")
        assert Guard.DRIVE in found.guards
        assert guard.look(agent.settled).closed
        assert guard.look(agent.settled).saved_closed
        assert resting.in_force(agent) == modes.OFF


def test_a_drive_that_only_keeps_keys_rests_with_one_parked(tmp_path: Path) -> None:
    with drive(tmp_path) as agent:
        found = resting.rest(agent)

        assert found.rest is Rest.PARKED
        assert found.parked
        assert found.guards == {Guard.PARKED, Guard.WATCHED}
        assert resting.in_force(agent) == modes.PARKED
        assert "key parked" in resting.events(agent)


def test_a_second_rest_sends_no_second_key(tmp_path: Path) -> None:
    with drive(tmp_path) as agent:
        first = resting.rest(agent)
        host = tampering.watched(agent.host)
        second = resting.rest(agent, host)

        assert second == first
        assert all(command.cdb[0] != 0xB5 for command in host.seen)


# fmt: off
UNTOUCHED: dict[str, tuple[Callable[[Rig], None], str]] = {
    "observe":      (lambda agent: resting.default(agent, Stance.OBSERVE),  "the rule for the empty drive is observe"),
    "hands-off":    (lambda agent: agent.approve(hands_off=True),           "it is marked hands-off"),
    "not approved": (lambda agent: _forget(agent),                          "it is not approved"),
    "foreign":      (lambda agent: _foreign(agent),                         "somebody else's"),
}
# fmt: on


def _foreign(agent: Rig) -> None:
    agent.insert(agent.directory / "cartridge")
    tampering.set_foreign_key(agent)
    agent.eject()


def _forget(agent: Rig) -> None:
    with agent.manager.store.writing() as transaction:
        drives.forget(transaction, agent.serial)


@pytest.mark.parametrize("why", UNTOUCHED)
@pytest.mark.parametrize("personality", [GUARDED, PARKING])
def test_what_is_not_ours_to_close_is_not_touched(why: str, personality: str, tmp_path: Path) -> None:
    prepare, words = UNTOUCHED[why]
    with drive(tmp_path, personality) as agent:
        prepare(agent)
        host = tampering.watched(agent.host)

        found = resting.rest(agent, host)

        assert found.rest is Rest.UNTOUCHED
        assert words in found.why
        assert not {Guard.DRIVE, Guard.PARKED} & found.guards
        assert not [command for command in host.seen if command.cdb[0] in (0xB5, 0x55, 0x15, 0x8D)]


def test_a_mounted_drive_is_not_brought_to_rest(tmp_path: Path) -> None:
    with drive(tmp_path) as agent:
        agent.insert(agent.directory / "cartridge")
        agent.save()
        with pytest.raises(Conflict):
            resting.rest(agent)
        assert resting.in_force(agent) == modes.WRITE


def test_without_qualification_nothing_is_parked(tmp_path: Path) -> None:
    with drive(tmp_path) as agent:
        resting.qualify(agent, {Trial.PARKS: "yes"})
        found = resting.rest(agent)
        assert (found.rest, found.why) == (Rest.OPEN, "it was not qualified to keep a parked key")
        assert found.guards == {Guard.WATCHED}


def test_first_page_is_kept_and_our_own_never_takes_its_place(tmp_path: Path) -> None:
    with drive(tmp_path, GUARDED) as agent:
        original = guard.look(agent.settled)
        resting.rest(agent)
        resting.rest(agent)
        agent.insert(agent.directory / "cartridge")
        agent.save()
        agent.unload()
        kept = agent.manager.guard_page(agent.serial)
        assert kept is not None
        assert (kept.current, kept.saved) == (original.current, original.saved)


def test_release_puts_the_page_back_and_leaves_the_drive_alone(tmp_path: Path) -> None:
    with drive(tmp_path, GUARDED) as agent:
        original = guard.look(agent.settled)
        resting.rest(agent)

        assert rest.release(agent.host, agent.manager)

        assert guard.look(agent.settled) == original
        assert agent.manager.guard_page(agent.serial) is None
        assert resting.rest(agent).rest is Rest.UNTOUCHED
        assert not rest.release(agent.host, agent.manager)


def test_release_takes_a_parked_key_out(tmp_path: Path) -> None:
    with drive(tmp_path) as agent:
        resting.rest(agent)
        assert rest.release(agent.host, agent.manager)
        assert resting.in_force(agent) == modes.OFF


def test_release_is_refused_while_a_cartridge_of_ours_is_in_the_drive(tmp_path: Path) -> None:
    with drive(tmp_path, GUARDED) as agent:
        agent.insert(agent.directory / "cartridge")
        agent.save()
        with pytest.raises(Conflict):
            rest.release(agent.host, agent.manager)
        assert guard.look(agent.settled).closed


def test_release_of_a_drive_that_is_not_approved_is_refused(tmp_path: Path) -> None:
    with drive(tmp_path, GUARDED, approved=False) as agent, pytest.raises(Refused):
        rest.release(agent.host, agent.manager)


def test_release_that_was_cut_off_anywhere_is_finished_by_the_next(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """Killed after each command, and rested by somebody else's hand meanwhile: the drive's own page is never lost."""
    with drive(tmp_path, GUARDED) as agent:
        original = guard.look(agent.settled)
        kills = 0
        while True:
            agent.approve()
            resting.rest(agent)
            try:
                rest.release(resting.killed_after(agent.host, kills), agent.manager)
                break
            except Killed:
                kills += 1
            rest.release(agent.host, agent.manager)
            assert guard.look(agent.settled) == original
            assert agent.manager.guard_page(agent.serial) is None
        assert kills > 20
    record_property(PROPERTY, f"drive release: killed after each of {kills} commands, 0 pages lost")


def test_open_mount_is_closed_again_at_its_end(tmp_path: Path) -> None:
    with drive(tmp_path, GUARDED) as agent:
        agent.rule(Stance.FORBID)
        agent.insert(agent.directory / "cartridge")
        agent.save()
        assert not guard.look(agent.settled).closed
        agent.unload()
        assert guard.look(agent.settled).closed


def test_with_a_key_of_ours_left_in_it_a_closed_drive_is_emptied(tmp_path: Path) -> None:
    with drive(tmp_path, GUARDED) as agent:
        resting.qualify(agent, dict.fromkeys((*resting.PARKS,), "yes") | {Trial.GUARD_REFUSES: "no"})
        assert resting.rest(agent).rest is Rest.PARKED
        resting.qualify(agent, dict.fromkeys((*resting.PARKS, Trial.GUARD_REFUSES), "yes"))
        assert resting.rest(agent).rest is Rest.CLOSED
        assert resting.in_force(agent) == modes.OFF

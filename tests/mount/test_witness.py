"""The cartridge's own count of changes: what was written when nobody looked."""

from itertools import product
from pathlib import Path
from typing import Any

import pytest

from tapekey.errors import HardwareFailed
from tapekey.exchange import Command, Transport
from tapekey.keystore.records import KeyRecord
from tapekey.manager.questions import Mount, Witness
from tapekey.mount import standing, witness
from tapekey.mount.witness import Finding, Moment
from tapekey.policy.facts import Intent
from tests.mount import resting, tampering
from tests.rig import Rig, check_condition, faulty, rig

NOTHING, UNKNOWN, LOST_RACE, WITHOUT_US = Finding.NOTHING, Finding.UNKNOWN, Finding.LOST_RACE, Finding.WITHOUT_US
LOADED, VERIFIED, CLOSED, REOPENED = Moment
SAVING = Mount(1, "D", "C", "", Intent.SAVE)
READING = Mount(1, "D", "C", "", Intent.RESTORE)

# fmt: off
CHANGED: dict[tuple[Moment, Moment, Mount | None], Finding] = {
    (LOADED,   LOADED,   None):    WITHOUT_US,  # nothing of ours was mounted since
    (VERIFIED, LOADED,   None):    NOTHING,     # its mount was not accounted: the change is that mount's
    (CLOSED,   LOADED,   None):    WITHOUT_US,
    (REOPENED, LOADED,   None):    NOTHING,
    (LOADED,   VERIFIED, SAVING):  LOST_RACE,
    (LOADED,   VERIFIED, READING): LOST_RACE,
    (LOADED,   VERIFIED, None):    LOST_RACE,
    (VERIFIED, VERIFIED, SAVING):  NOTHING,
    (CLOSED,   VERIFIED, SAVING):  NOTHING,
    (REOPENED, VERIFIED, SAVING):  NOTHING,
    (VERIFIED, CLOSED,   SAVING):  NOTHING,
    (VERIFIED, CLOSED,   READING): WITHOUT_US,
    (VERIFIED, CLOSED,   None):    WITHOUT_US,
    (CLOSED,   CLOSED,   SAVING):  NOTHING,
    (REOPENED, CLOSED,   READING): WITHOUT_US,
}
# fmt: on


def told(moment: Moment, reference: bytes) -> Witness:
    return Witness("C", "D", moment.value, reference)


@pytest.mark.parametrize("moments", CHANGED, ids=lambda m: " ".join(str(getattr(p, "value", p)) for p in m)[:40])
def test_a_change_means_what_lies_between(moments: tuple[Moment, Moment, Mount | None]) -> None:
    before, now, mount = moments
    assert witness.compare(told(before, b"\1"), told(now, b"\2"), mount) is CHANGED[moments]


def test_what_was_not_told_is_unknown_and_never_unchanged() -> None:
    for before, now, mount in product(Moment, Moment, (SAVING, READING, None)):
        assert witness.compare(told(before, b""), told(now, b"\1"), mount) is UNKNOWN
        assert witness.compare(told(before, b"\1"), told(now, b""), mount) is UNKNOWN
        assert witness.compare(told(before, b"\1"), told(now, b"\1"), mount) is NOTHING
    assert witness.compare(None, told(LOADED, b""), None) is UNKNOWN
    assert witness.compare(None, told(LOADED, b"\1"), None) is NOTHING


def ask(agent: Rig, moment: Moment, mount: Mount | None = None, over: Transport | None = None) -> Finding:
    from tapekey.cartridge.identity import identify

    serial = identify(agent.settled).serial
    return witness.witness(
        over or agent.host, agent.manager, drive=agent.serial, cartridge=serial, moment=moment, mount=mount
    )


def test_a_write_between_load_and_key_is_a_lost_race(tmp_path: Path) -> None:
    with rig(tmp_path) as agent:
        assert ask(agent, LOADED) is NOTHING
        tampering.write_clear(agent)
        agent.scratch(_serial(agent))
        saved = agent.save()

        assert ask(agent, VERIFIED, saved.mount) is LOST_RACE

        assert "lost race: written before its key was verified" in resting.alarms(agent)


def test_a_stay_that_nobody_disturbed_tells_of_nothing(tmp_path: Path) -> None:
    with rig(tmp_path) as agent:
        assert ask(agent, LOADED) is NOTHING
        mount = agent.save().mount
        assert ask(agent, VERIFIED, mount) is NOTHING
        agent.write()
        assert ask(agent, CLOSED, mount) is NOTHING
        agent.reload()
        assert ask(agent, LOADED) is NOTHING
        assert resting.alarms(agent) == []


def test_a_write_between_two_stays_is_one_without_us(tmp_path: Path) -> None:
    with rig(tmp_path) as agent:
        ask(agent, LOADED)
        agent.save()
        agent.write()
        agent.reload()
        tampering.write_clear(agent)
        assert ask(agent, LOADED) is WITHOUT_US
        assert "written without us" in resting.alarms(agent)


def test_what_is_written_to_a_cartridge_that_was_left_alone_is_no_news(tmp_path: Path) -> None:
    with rig(tmp_path) as agent:
        ask(agent, LOADED)
        tampering.write_clear(agent)
        witness.left(agent.settled, agent.manager, drive=agent.serial, cartridge=_serial(agent))
        tampering.write_clear(agent)

        assert ask(agent, LOADED) is NOTHING

        assert resting.alarms(agent) == []


def test_what_software_writes_after_it_opened_the_drive_again_is_no_news(tmp_path: Path) -> None:
    with rig(tmp_path) as agent:
        ask(agent, LOADED)
        mount = agent.save().mount
        ask(agent, CLOSED, mount)
        witness.reopened(agent.manager, _serial(agent))
        agent.write()
        agent.eject()
        agent.insert(agent.directory / "cartridge")
        assert ask(agent, LOADED) is NOTHING


@pytest.mark.parametrize("value", [None, bytes(4), b"\xff" * 4])
def test_a_drive_that_does_not_tell_proves_nothing(value: bytes | None, tmp_path: Path) -> None:
    with rig(tmp_path) as agent:
        ask(agent, LOADED)
        missing = check_condition(5, 0x24, 0)

        def answer(_: Command, reply: Any) -> Any:
            from tests.waist import patched

            return missing if value is None else patched(9, value)(reply)

        host = faulty(agent.host, when=asks_change, reply=answer, times=-1)
        assert ask(agent, VERIFIED, None, host) is UNKNOWN
        assert ask(agent, CLOSED, None) is UNKNOWN


def test_an_error_is_one(tmp_path: Path) -> None:
    with rig(tmp_path) as agent:
        broken = faulty(agent.host, when=asks_change, reply=check_condition(4, 0x44, 0))
        with pytest.raises(HardwareFailed):
            ask(agent, LOADED, None, broken)


def test_it_is_asked_once_at_each_moment_and_never_by_a_look_at_the_key(tmp_path: Path) -> None:
    with rig(tmp_path) as agent:
        mount = agent.save().mount
        assert mount is not None
        host = tampering.watched(agent.settled)
        for _ in range(20):
            standing.standing(host, agent.manager, mount)
            witness.reopened(agent.manager, mount.medium_serial)
            assert agent.save(host).mount == mount
        assert count(host.seen) == 0
        for moment in (LOADED, VERIFIED, CLOSED):
            ask(agent, moment, mount, host)
        assert count(host.seen) == 3


def test_what_a_lost_race_wrote_under_the_parked_key_is_on_record_for_the_cartridge(tmp_path: Path) -> None:
    """Appended in the race, behind blocks under the cartridge's own key: no first block tells of it."""
    with resting.drive(tmp_path) as agent:
        agent.insert(agent.directory / "cartridge")
        agent.save()
        agent.write()
        agent.unload()
        key = resting.rest(agent).parked
        agent.eject()
        agent.insert(agent.directory / "cartridge")
        ask(agent, LOADED)
        _append(agent)
        saved = agent.save()

        assert ask(agent, VERIFIED, saved.mount) is LOST_RACE

        with agent.manager.store.reading() as transaction:
            assert {str(record.id) for record in transaction.every(KeyRecord)} == {key, str(saved.key_id)}
        assert "perhaps written under a parked key" in resting.alarms(agent)


def _append(agent: Rig) -> None:
    from tapekey.scsi import media
    from tapekey.scsi.run import run

    run(agent.settled, media.space(media.SpaceCode.END_OF_DATA))
    run(agent.settled, media.write_block(b"late" * 100))
    run(agent.settled, media.write_filemarks())


def _serial(agent: Rig) -> str:
    held = agent.machine.drive.cartridge
    assert held is not None
    return held.identity.serial


def asks_change(command: Command) -> bool:
    return command.cdb[0] == 0x8C and command.cdb[1] == 0 and command.cdb[8:10] == b"\x00\x09"


def count(commands: list[Command]) -> int:
    return sum(map(asks_change, commands))

"""What goes wrong around the one command that carries a key: nothing of ours stays, nothing of others goes."""

from collections.abc import Callable
from copy import copy
from pathlib import Path

import pytest

from tapekey.drive import guard, modes
from tapekey.drive.parameters import kads_of
from tapekey.errors import Conflict, DriveLied, HardwareFailed, RequestRefused, StateChanged, TapekeyError, TimedOut
from tapekey.exchange import Command, Reply
from tapekey.policy.facts import Intent
from tapekey.target.unit_attention import Attention
from tests.mount import tampering
from tests.rig import Answer, check_condition, faulty, opcode, page, rig

SPOUT = page(0xB5, 0x10)
STATUS = page(0xA2, 0x20)


def serial_number(command: Command) -> bool:
    """READ ATTRIBUTE of the medium's serial number."""
    return command.cdb[0] == 0x8C and command.cdb[8:10] == b"\x04\x01"


def other_serial(command: Command, reply: Reply) -> Reply:
    return Reply(reply.status, reply.data_in[:9] + b"ANOTHER".ljust(32), reply.sense)


def other_counter(command: Command, reply: Reply) -> Reply:
    changed = bytearray(reply.data_in)
    changed[11] ^= 0x40
    return Reply(reply.status, bytes(changed), reply.sense)


def clear_modes(command: Command, reply: Reply) -> Reply:
    return Reply(reply.status, reply.data_in[:5] + b"\0\0" + reply.data_in[7:], reply.sense)


class Behind:
    """Matches commands only once a key has been sent."""

    def __init__(self, matches: Callable[[Command], bool]) -> None:
        self.matches = matches
        self.sent = False

    def __call__(self, command: Command) -> bool:
        matched = self.sent and self.matches(command)
        self.sent = self.sent or SPOUT(command)
        return matched


# name: (which command, how it is broken, how many of them pass first, does the drive get it, the error)
Fault = tuple[Callable[[Command], bool], Answer, int, bool, type[TapekeyError]]
FAULTS: dict[str, Fault] = {
    "SPOUT is refused": (SPOUT, check_condition(5, 0x26, 0x00), 0, False, RequestRefused),
    "SPOUT is lost, and reported good": (SPOUT, Reply(0), 0, False, DriveLied),
    "SPOUT times out, and was delivered": (SPOUT, TimedOut("no answer"), 0, True, TimedOut),
    "SPOUT times out, and was not delivered": (SPOUT, TimedOut("no answer"), 0, False, TimedOut),
    "status cannot be read afterwards": (Behind(STATUS), check_condition(4, 0x44, 0x00), 0, True, HardwareFailed),
    "counter differs when read again": (Behind(STATUS), other_counter, 1, True, DriveLied),
    "modes are off when read again": (Behind(STATUS), clear_modes, 1, True, DriveLied),
    "another cartridge answers afterwards": (Behind(serial_number), other_serial, 0, True, TapekeyError),
}


@pytest.mark.parametrize(("when", "reply", "after", "deliver", "error"), FAULTS.values(), ids=FAULTS)
def test_failed_key_is_taken_out_again_and_the_guard_stays_closed(
    when: Callable[[Command], bool],
    reply: Answer,
    after: int,
    deliver: bool,
    error: type[TapekeyError],
    tmp_path: Path,
) -> None:
    with rig(tmp_path) as agent:
        host = faulty(agent.host, when=copy(when), reply=reply, after=after, deliver=deliver)
        with pytest.raises(error):
            agent.save(host)

        assert host.met > after, "the fault was never met"
        assert modes.in_force(tampering.status(agent)) == modes.OFF
        assert guard.look(agent.host).closed
        assert agent.save().encrypted


# A key for reading has no key-associated data on LTO: without the counter that it got, it cannot be told to be ours.
NOT_KNOWN = ("SPOUT times out, and was delivered", "status cannot be read afterwards")


@pytest.mark.parametrize("name", FAULTS)
def test_failed_reading_key_is_taken_out_again_or_stays_under_guard_and_alarms(name: str, tmp_path: Path) -> None:
    when, reply, after, deliver, error = FAULTS[name]
    with rig(tmp_path) as agent:
        agent.save()
        agent.write()
        agent.reload()
        host = faulty(agent.host, when=copy(when), reply=reply, after=after, deliver=deliver)
        with pytest.raises(error):
            agent.restore(host)

        assert host.met > after, "the fault was never met"
        left = name in NOT_KNOWN
        assert modes.in_force(tampering.status(agent)) == (modes.READ if left else modes.OFF)
        assert bool(agent.alarms()) is left
        assert guard.look(agent.settled).closed


def test_envelope_that_reads_back_differently_stops_before_the_key_is_released(tmp_path: Path) -> None:
    def changed(command: Command, reply: Reply) -> Reply:
        return Reply(reply.status, reply.data_in[:-1] + bytes([reply.data_in[-1] ^ 1]), reply.sense)

    def envelope(command: Command) -> bool:
        return command.cdb[0] == 0x8C and command.cdb[1] & 0x1F == 0 and 0x14 <= command.cdb[8] <= 0x17

    with rig(tmp_path) as agent:
        host = faulty(agent.host, when=envelope, reply=changed, times=-1)
        with pytest.raises(DriveLied):
            agent.save(host)
        assert "SPOUT" not in tampering.changes(host.seen)
        assert not [line for line in agent.audit() if line.event == "key released"]


def test_guard_that_does_not_close_stops_before_a_key_is_made(tmp_path: Path) -> None:
    with rig(tmp_path) as agent:
        host = faulty(agent.host, when=opcode(0x55), reply=check_condition(5, 0x26, 0x00), times=-1, deliver=False)
        with pytest.raises(RequestRefused):
            agent.save(host)
        assert not [line for line in agent.audit() if line.event in ("key prepared", "mount began")]


def test_key_that_another_initiator_sets_meanwhile_stays_and_alarms(tmp_path: Path) -> None:
    with rig(tmp_path) as agent:

        def overtaken(command: Command, reply: Reply) -> Reply:
            tampering.set_foreign_key(agent, nexus="another host")
            return reply

        host = faulty(agent.host, when=SPOUT, reply=overtaken)
        with pytest.raises(TapekeyError):
            agent.save(host)

        status = tampering.status(agent)
        assert kads_of(status.kads).startswith(tampering.FOREIGN_KAD)
        assert modes.in_force(status) == modes.WRITE
        assert agent.alarms()


def test_unit_attention_between_key_and_verification_is_no_success(tmp_path: Path) -> None:
    with rig(tmp_path) as agent:
        host = faulty(agent.host, when=Behind(serial_number), reply=check_condition(6, 0x2A, 0x11))
        with pytest.raises(StateChanged):
            agent.save(host)
        assert modes.in_force(tampering.status(agent)) == modes.OFF


def test_key_is_not_left_with_another_cartridge(tmp_path: Path) -> None:
    with rig(tmp_path) as agent:
        host = faulty(agent.host, when=Behind(serial_number), reply=other_serial, times=-1)
        with pytest.raises(DriveLied, match="with another cartridge"):
            agent.save(host)
        assert modes.in_force(tampering.status(agent)) == modes.OFF


@pytest.mark.parametrize("name", tampering.DRIVES)
def test_key_goes_with_the_cartridge_whoever_takes_it_out(name: str, tmp_path: Path) -> None:
    """CKOD: a cartridge that comes next is not written under the key of the one before."""
    with rig(tmp_path, name) as agent:
        agent.save()
        agent.eject()
        agent.insert(agent.cartridge("other", "ENC002L6"))
        assert modes.in_force(tampering.status(agent)) == modes.OFF


@pytest.mark.parametrize("name", tampering.DRIVES)
def test_key_changed_by_another_initiator_stops_our_writes(name: str, tmp_path: Path) -> None:
    """LOCK: the next write of this nexus fails with 7/2A/13."""
    with rig(tmp_path, name) as agent:
        agent.save()
        tampering.set_foreign_key(agent, nexus="another host")
        with pytest.raises(StateChanged, match="7/2A/13"):
            agent.write()


def test_mount_that_is_over_records_nothing_and_takes_its_key_out(tmp_path: Path) -> None:
    with rig(tmp_path) as agent:

        def next_mount(command: Command, reply: Reply) -> Reply:
            agent.manager.begin(agent.serial, "ANOTHER", "", Intent.SAVE)
            return reply

        host = faulty(agent.host, when=SPOUT, reply=next_mount)
        with pytest.raises(Conflict):
            agent.save(host)
        assert modes.in_force(tampering.status(agent)) == modes.OFF


def test_failure_to_take_the_key_out_is_an_alarm_beside_the_first_error(tmp_path: Path) -> None:
    with rig(tmp_path) as agent:

        def dead_after_key(command: Command) -> bool:
            return bool(sent) and command.cdb[0] in (0x8C, 0xA2, 0xB5, 0x5A)

        sent: list[Command] = []

        def noted(command: Command, reply: Reply) -> Reply:
            sent.append(command)
            return reply

        dying = faulty(agent.host, when=dead_after_key, reply=TimedOut("no answer"), times=-1, deliver=False)
        host = faulty(dying, when=SPOUT, reply=noted)
        with pytest.raises(TimedOut):
            agent.save(host)
        assert [line.event for line in agent.alarms()] == ["key not taken back"]


def test_pinned_key_that_the_drive_does_not_show_is_an_alarm(tmp_path: Path) -> None:
    with rig(tmp_path, "ibm-lto9", approved=False) as agent:
        agent.approve(pinned=True)
        formats = page(0xA2, 0x11)
        host = faulty(agent.host, when=formats, reply=Reply(0, bytes.fromhex("0011 0001 00")), times=-1)
        with pytest.raises(TapekeyError, match="shows none now"):
            agent.save(host)
        assert "SPOUT" not in tampering.changes(host.seen)


def test_attention_on_the_way_out_does_not_keep_the_key_in(tmp_path: Path) -> None:
    """The write guard's mode page is what is asked first, and somebody else's change is told just then."""
    with rig(tmp_path) as agent:

        def told(command: Command, reply: Reply) -> Reply:
            agent.machine.drive.nexuses.get("host").tell(Attention.MODE_CHANGED)
            return check_condition(4, 0x44, 0x00)

        host = faulty(agent.host, when=Behind(serial_number), reply=told)
        with pytest.raises(HardwareFailed):
            agent.save(host)
        assert modes.in_force(tampering.status(agent)) == modes.OFF
        assert agent.alarms() == []

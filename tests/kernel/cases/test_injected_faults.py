"""Each command of ours made to fail on a real kernel: a typed error comes of it, and never "no encryption"."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from tapekey import host
from tapekey.cartridge import identity as cartridge_identity
from tapekey.discovery.sysfs import Node
from tapekey.drive import abilities, identity, parameters
from tapekey.drive.abilities import Abilities, Management
from tapekey.errors import (
    CommandAborted,
    DeviceBusy,
    DeviceError,
    HardwareFailed,
    MediumFailed,
    NotReady,
    OpcodeUnknown,
    RequestRefused,
    ReservationConflict,
    StateChanged,
    TapekeyError,
    TimedOut,
    TransportFailed,
)
from tapekey.exchange import Command, Transport
from tapekey.scsi import attribute, density, encryption, inquiry, log, media, mode, opcodes, position, reserve, security
from tapekey.scsi.codes import Opcode, SecurityProtocol
from tapekey.scsi.encryption import InPage, OutPage
from tapekey.scsi.inquiry import VitalPage
from tapekey.scsi.log import LogPage
from tapekey.scsi.mode_page import ModePage
from tapekey.scsi.run import run
from tests.kernel.cases import injected, simulated
from tests.kernel.cases.injected import Fault, sense
from tests.kernel.cases.simulated import Hasty

NO_ANSWER = Fault(answered=False)

# fmt: off
OURS: dict[str, Command] = {
    "TEST UNIT READY":      media.test_unit_ready(),
    "REWIND":               media.rewind(),
    "REQUEST SENSE":        media.request_sense(),
    "READ BLOCK LIMITS":    media.read_block_limits(),
    "READ":                 media.read_block(512),
    "WRITE":                media.write_block(bytes(512)),
    "WRITE FILEMARKS":      media.write_filemarks(),
    "SPACE":                media.space(media.SpaceCode.FILEMARKS, 1),
    "INQUIRY":              inquiry.inquire(),
    "INQUIRY(80h)":         inquiry.inquire_vital(VitalPage.SERIAL),
    "ERASE":                media.erase(),
    "LOAD UNLOAD":          media.unload(),
    "PREVENT ALLOW":        media.prevent_removal(),
    "LOCATE(16)":           media.locate(0),
    "READ POSITION":        position.read_long_position(),
    "REPORT DENSITY":       density.report_densities(),
    "LOG SENSE":            log.log_sense(LogPage.SUPPORTED),
    "MODE SENSE(10)":       mode.mode_sense(ModePage.ALL),
    "PERSISTENT RESERVE IN": reserve.persistent_in(reserve.InAction.READ_KEYS),
    "READ ATTRIBUTE":       attribute.list_attributes(),
    "WRITE ATTRIBUTE":      attribute.write_attributes([attribute.attribute(0x0806, b"KERNEL01".ljust(32))]),
    "SPIN(00h)":            security.read_information(security.InformationPage.SUPPORTED),
    "SPIN(20h[0010h])":     encryption.read_page(InPage.CAPABILITIES),
    "SPIN(20h[0020h])":     encryption.read_page(InPage.STATUS),
    "SPOUT(20h[0010h])":    security.security_protocol_out(
                                SecurityProtocol.TAPE_DATA_ENCRYPTION, OutPage.SET_DATA_ENCRYPTION, bytes(20)),
    "REPORT OPCODES":       opcodes.report_opcode(Opcode.SECURITY_PROTOCOL_IN),
}

FAULTS: dict[str, tuple[Fault, type[TapekeyError]]] = {
    "becoming ready":       (sense(0x2, 0x04, 0x01), NotReady),
    "medium error":         (sense(0x3, 0x11, 0x00), MediumFailed),
    "hardware error":       (sense(0x4, 0x44, 0x00), HardwareFailed),
    "invalid field in CDB": (sense(0x5, 0x24, 0x00), RequestRefused),
    "invalid parameter":    (sense(0x5, 0x26, 0x00), RequestRefused),
    "reset":                (sense(0x6, 0x29, 0x00), StateChanged),
    "aborted":              (sense(0xB, 0x47, 0x03), CommandAborted),
    "reserved key":         (sense(0xF, 0x00, 0x00), DeviceError),
    "busy":                 (Fault(status=0x08), DeviceBusy),
    "reservation conflict": (Fault(status=0x18), ReservationConflict),
    "task aborted":         (Fault(status=0x40), DeviceError),
    "no connection":        (Fault(host=0x01), TransportFailed),
    "host adapter error":   (Fault(host=0x07), TransportFailed),
    "path lost":            (Fault(host=0x0E), TransportFailed),
    "no answer":            (NO_ANSWER, TimedOut),
}
# fmt: on
ANSWERED = [name for name, (fault, _) in FAULTS.items() if fault is not NO_ANSWER]
ASKING = {0x12: "INQUIRY", 0x5A: "MODE SENSE(10)", 0xA2: "SPIN", 0xA3: "REPORT OPCODES"}


VERBS: dict[int, Callable[[Transport], object]] = {
    0x12: identity.identify,
    0xA2: parameters.status,
    0x8C: cartridge_identity.identify,
}


@pytest.fixture(scope="module")
def drives() -> tuple[Node, ...]:
    """A few drives for all: each case takes its faults away again."""
    nodes = simulated.load(4)
    if not injected.rules(nodes[0]).exists():
        pytest.skip("this kernel's scsi_debug injects no faults through debugfs")
    return nodes


@pytest.fixture
def drive(drives: tuple[Node, ...]) -> Node:
    return drives[0]


@pytest.mark.parametrize("name", ANSWERED)
def test_every_command_made_to_fail_is_its_typed_error(name: str, drive: Node) -> None:
    fault, kind = FAULTS[name]
    wrong = {}
    with simulated.opened(drive) as (device,):
        for command_name, command in OURS.items():
            with injected.fault(drive, command.cdb[0], fault):
                ended = outcome(Hasty(device, fault.patience), command)
            simulated.calm(device)  # the kernel may have reset it
            if not isinstance(ended, kind):
                wrong[command_name] = repr(ended)
    assert not wrong


def test_every_command_without_an_answer_times_out(drives: tuple[Node, ...]) -> None:
    commands = [*one_of_each_opcode().items()]
    shares = [commands[each :: len(drives)] for each in range(len(drives))]
    with ThreadPoolExecutor(len(drives)) as side_by_side:
        ended = [each for share in side_by_side.map(unanswered, drives, shares) for each in share]
    assert [name for name, error in ended if not isinstance(error, TimedOut)] == []
    assert len(ended) == len(commands)


def unanswered(drive: Node, commands: list[tuple[str, Command]]) -> list[tuple[str, object]]:
    ended = []
    with simulated.opened(drive) as (device,):
        for name, command in commands:
            with injected.fault(drive, command.cdb[0], NO_ANSWER):
                ended.append((name, outcome(Hasty(device, NO_ANSWER.patience), command)))
            simulated.calm(device)  # the kernel may have reset it
    return ended


@pytest.mark.parametrize("name", FAULTS)
def test_drive_with_a_fault_in_its_answers_is_never_without_encryption(name: str, drive: Node) -> None:
    """Only the drive's own 5/20/00 to SPIN is "none"; REPORT OPCODES may then refuse, since it only confirms that."""
    fault, kind = FAULTS[name]
    wrong = {}
    with simulated.opened(drive) as (device,):
        for opcode, asked in ASKING.items():
            with injected.fault(drive, opcode, fault):
                found = judged(Hasty(device, fault.patience))
            simulated.calm(device)
            confirmed = asked not in ("INQUIRY", "SPIN") and kind is RequestRefused
            if isinstance(found, Abilities) and found.management is not Management.BROKEN and not confirmed:
                wrong[asked] = found
    assert not wrong


def one_of_each_opcode() -> dict[str, Command]:
    """A time-out takes a second at least, which adds up."""
    return {name: OURS[name] for name in {command.cdb[0]: name for name, command in OURS.items()}.values()}


def outcome(device: Hasty, command: Command) -> object:
    try:
        return run(device, command)
    except TapekeyError as error:
        return error


def judged(device: Hasty) -> Abilities | TapekeyError:
    try:
        return abilities.abilities(device)
    except TapekeyError as error:
        return error


@pytest.mark.parametrize("fault", [*(fault for fault, _ in FAULTS.values())], ids=FAULTS)
def test_whole_verbs_raise_what_is_typed_and_claim_nothing(fault: Fault, drive: Node) -> None:
    with simulated.opened(drive) as (device,):
        for opcode, verb in VERBS.items():
            with injected.fault(drive, opcode, fault), pytest.raises(TapekeyError) as failure:
                verb(Hasty(device, fault.patience))
            assert not isinstance(failure.value, OpcodeUnknown)
            simulated.calm(device)
        with injected.fault(drive, 0x12, fault):
            sighting = host.sight(drive, simulated.hastily(fault.patience))
    assert sighting.who is None
    assert sighting.failed
    assert sighting.claim.serial  # the kernel's copy still tells who it was

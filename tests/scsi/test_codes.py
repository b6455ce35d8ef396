"""Numbers as the reference prints them (sections 1.1 and 1.3), so that no slip of ours is shared by both sides."""

import pytest

from tapekey.scsi.codes import DeviceType, Opcode, SecurityProtocol, Status
from tapekey.wire.codes import Code

NUMBERS: dict[Code, int] = {
    Opcode.TEST_UNIT_READY: 0x00,
    Opcode.REQUEST_SENSE: 0x03,
    Opcode.FORMAT_MEDIUM: 0x04,
    Opcode.READ_6: 0x08,
    Opcode.WRITE_6: 0x0A,
    Opcode.INQUIRY: 0x12,
    Opcode.LOAD_UNLOAD: 0x1B,
    Opcode.LOG_SENSE: 0x4D,
    Opcode.MODE_SENSE_10: 0x5A,
    Opcode.READ_ATTRIBUTE: 0x8C,
    Opcode.WRITE_ATTRIBUTE: 0x8D,
    Opcode.LOCATE_16: 0x92,
    Opcode.SECURITY_PROTOCOL_IN: 0xA2,
    Opcode.SECURITY_PROTOCOL_OUT: 0xB5,
    Status.GOOD: 0x00,
    Status.CHECK_CONDITION: 0x02,
    Status.BUSY: 0x08,
    Status.RESERVATION_CONFLICT: 0x18,
    Status.TASK_SET_FULL: 0x28,
    Status.TASK_ABORTED: 0x40,
    SecurityProtocol.INFORMATION: 0x00,
    SecurityProtocol.TAPE_DATA_ENCRYPTION: 0x20,
    SecurityProtocol.IKEV2_SCSI: 0x41,
    DeviceType.TAPE: 0x01,
    DeviceType.CHANGER: 0x08,
}


@pytest.mark.parametrize(("code", "number"), NUMBERS.items())
def test_code_has_the_references_number(code: Code, number: int) -> None:
    assert code == number


@pytest.mark.parametrize("codes", [Opcode, Status, SecurityProtocol, DeviceType])
def test_no_number_has_two_names(codes: type[Code]) -> None:
    assert len(codes.__members__) == len(list(codes))


def test_vendor_protocol_is_kept_as_a_number() -> None:
    assert SecurityProtocol(0xF0).name == "UNKNOWN_F0H"

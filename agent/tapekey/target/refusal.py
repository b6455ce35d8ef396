"""Refusals of the device server: exceptions that carry the reply, and the sense codes that it gives.

They never leave `drive.execute`, which turns them into a `Reply`.
"""

from tapekey.exchange import Buffer
from tapekey.scsi.sense import FieldPointer, Sense, SenseKey


class Refusal(Exception):
    """CHECK CONDITION with this sense data. `data` is what was transferred all the same."""

    def __init__(self, sense: Sense, data: Buffer = b"") -> None:
        super().__init__(sense)
        self.sense = sense
        self.data = data


class ReservedByAnother(Exception):
    """RESERVATION CONFLICT: another nexus holds the drive."""


def sense(key: SenseKey, asc: int, ascq: int, **flags: object) -> Sense:
    """Sense data with everything that is not named at its rest value."""
    return Sense(key=key, asc=asc, ascq=ascq, **flags)  # type: ignore[arg-type]


def illegal(asc: int, ascq: int, field: FieldPointer | None = None) -> Refusal:
    return Refusal(sense(SenseKey.ILLEGAL_REQUEST, asc, ascq, field=field))


def invalid_cdb(byte: int, bit: int | None = None) -> Refusal:
    """5/24/00 with the field that is wrong."""
    return illegal(0x24, 0x00, FieldPointer(byte, bit, in_cdb=True))


def invalid_parameter(byte: int, bit: int | None = 7) -> Refusal:
    """5/26/00 with the field that is wrong; drives point at bit 7 when they mean the whole byte."""
    return illegal(0x26, 0x00, FieldPointer(byte, bit, in_cdb=False))


def list_length() -> Refusal:
    """5/1A/00: the parameter list ends inside a field."""
    return illegal(0x1A, 0x00)


def not_ready(asc: int, ascq: int) -> Refusal:
    return Refusal(sense(SenseKey.NOT_READY, asc, ascq))


def data_protect(asc: int, ascq: int, information: int | None = None) -> Refusal:
    return Refusal(sense(SenseKey.DATA_PROTECT, asc, ascq, information=information))

"""What a command comes to: status, data and the parts of the sense data that a client acts upon."""

from dataclasses import dataclass
from typing import Final

GOOD: Final = 0x00
CHECK_CONDITION: Final = 0x02
RESERVATION_CONFLICT: Final = 0x18

FILEMARK: Final = 0x80
END_OF_MEDIUM: Final = 0x40
INCORRECT_LENGTH: Final = 0x20


@dataclass(frozen=True, slots=True)
class Outcome:
    """One answer. `code` is key/ASC/ASCQ as the reference writes it, `flags` bits 7 to 5 of sense byte 2.

    information  None if VALID is 0
    """

    status: int = GOOD
    data: bytes = b""
    code: str = ""
    flags: int = 0
    information: int | None = None

    def __repr__(self) -> str:
        if self.status == GOOD:
            return f"good, {len(self.data)} bytes {self.data[:12].hex()}"
        if self.status == RESERVATION_CONFLICT:
            return "reservation conflict"
        names = {FILEMARK: "FILEMARK", END_OF_MEDIUM: "EOM", INCORRECT_LENGTH: "ILI"}
        flags = "".join(f" {name}" for bit, name in names.items() if self.flags & bit)
        return f"{self.code}{flags} information {self.information}, {len(self.data)} bytes {self.data[:12].hex()}"


class Stopped(Exception):
    """The command ends with this outcome."""

    def __init__(self, code: str, flags: int = 0, information: int | None = None, data: bytes = b"") -> None:
        super().__init__(code)
        fits = information is not None and -(1 << 31) <= information < 1 << 32
        self.outcome = Outcome(CHECK_CONDITION, data, code, flags, information if fits else None)


def seen(status: int, data: bytes, sense: bytes) -> Outcome:
    """The outcome in a reply, whose sense data has the fixed format (reference 1.4)."""
    if status != CHECK_CONDITION:
        return Outcome(status, data)
    assert sense[0] & 0x7F == 0x70, sense.hex()
    assert len(sense) >= 18
    information = int.from_bytes(sense[3:7], "big", signed=True) if sense[0] & 0x80 else None
    code = f"{sense[2] & 0x0F:X}/{sense[12]:02X}/{sense[13]:02X}"
    return Outcome(status, data, code, sense[2] & 0xE0, information)

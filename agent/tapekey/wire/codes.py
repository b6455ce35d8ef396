"""Coded fields: enums that stay open, because a device may always send a number newer than our table."""

from enum import IntEnum
from typing import Self


class Code(IntEnum):
    """An IntEnum that keeps unknown values as `UNKNOWN_09H`. Only policy refuses those."""

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, int) or value < 0:
            return None
        member = int.__new__(cls, value)
        member._name_ = f"UNKNOWN_{value:02X}H"
        member._value_ = value
        return member

    @property
    def known(self) -> bool:
        """Whether our table has this value."""
        return self._value_ in type(self)._value2member_map_

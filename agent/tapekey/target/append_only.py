"""Append-only mode (mode page 10h/01h, WRITE MODE 1) and what ALLOW OVERWRITE lets through it (reference 1.3).

A permission holds for one position, or for one FORMAT MEDIUM; moving away forgets it.
"""

from dataclasses import dataclass

from tapekey.target import modes
from tapekey.target.refusal import data_protect
from tapekey.target.state import Drive


@dataclass(frozen=True, slots=True)
class Permission:
    """Where a client may overwrite once; `object` is None for a format."""

    volume: object
    partition: int = 0
    object: int | None = None


def in_force(drive: Drive) -> bool:
    """Whether the drive only appends."""
    return drive.modes.bit(drive.personality, modes.EXTENSION, 5, modes.APPEND_ONLY)


def check_write(drive: Drive) -> None:
    """7/5A/02 where something is recorded at the position, unless that was permitted."""
    permission, drive.permission = drive.permission, None
    if not in_force(drive) or drive.tape.at_end_of_data:
        return
    tape = drive.tape
    if permission != Permission(drive.cartridge, drive.partition, tape.position):
        raise data_protect(0x5A, 0x02)


def check_format(drive: Drive) -> None:
    """7/5A/02 on a volume with anything on it, unless a format was permitted."""
    permission, cartridge = drive.permission, drive.require_cartridge()
    drive.permission = None
    if in_force(drive) and any(tape.objects for tape in cartridge.tapes) and permission != Permission(cartridge):
        raise data_protect(0x5A, 0x02)

"""FORMAT MEDIUM and SET CAPACITY: a volume is divided anew, and what was on it is gone (reference 1.3, 11.3, 11.5)."""

from dataclasses import replace

from tapekey.errors import MediumDamaged
from tapekey.exchange import Command
from tapekey.scsi import capacity, media
from tapekey.scsi.media import Format
from tapekey.target import append_only, write_protection
from tapekey.target.cartridge import Cartridge
from tapekey.target.nexus import Nexus
from tapekey.target.partitioning import most_additional, smallest
from tapekey.target.refusal import data_protect, illegal, invalid_cdb
from tapekey.target.state import Drive
from tapekey.target.unit_attention import Attention
from tapekey.wire.layout import decode


def format_medium(drive: Drive, nexus: Nexus, command: Command) -> None:
    """FORMAT MEDIUM (04h): one partition, or those of mode page 11h."""
    cdb = decode(media.FormatMedium, command.cdb)
    if cdb.verify:
        raise invalid_cdb(1, 1)
    if not cdb.format.known:
        raise invalid_cdb(2, 3)
    if cdb.length:
        raise invalid_cdb(3)
    cartridge = _erasable(drive, nexus)
    whole = sum(tape.capacity for tape in cartridge.tapes)
    _divide(drive, cartridge, (whole,) if cdb.format is Format.DEFAULT else _planned(drive, cartridge))


def _planned(drive: Drive, cartridge: Cartridge) -> tuple[int, ...]:
    """What MODE SELECT asked for; without that, the partitions as they are."""
    if not most_additional(drive.personality.generation, cartridge.identity.generation.name):
        raise invalid_cdb(2, 3)
    plan = drive.modes.plan
    if plan is not None and plan.volume is cartridge:
        return plan.sizes
    return tuple(tape.capacity for tape in cartridge.tapes)


def set_capacity(drive: Drive, nexus: Nexus, command: Command) -> None:
    """SET CAPACITY (0Bh): one partition of that share of the medium."""
    cdb = decode(capacity.SetCapacity, command.cdb)
    cartridge = _erasable(drive, nexus)
    whole = cartridge.identity.capacity
    size = whole * cdb.proportion // capacity.WHOLE
    _divide(drive, cartridge, (max(size, smallest(whole)),))
    drive.nexuses.tell_all(Attention.MODE_CHANGED)


def _erasable(drive: Drive, nexus: Nexus) -> Cartridge:
    """The volume, at its very beginning and free to be lost."""
    cartridge = drive.require_medium()
    drive.check_lock(nexus, writing=True)
    if drive.partition or drive.tape.position:
        raise illegal(0x3B, 0x0C)
    write_protection.check(drive)
    if cartridge.identity.worm:
        raise data_protect(0x30, 0x0C)
    append_only.check_format(drive)
    return cartridge


def _divide(drive: Drive, cartridge: Cartridge, sizes: tuple[int, ...]) -> None:
    drive.looked_ahead = False
    cartridge.format(sizes)
    drive.modes.plan = None
    try:
        kept = cartridge.account()
        cartridge.memory.keep(replace(kept, initializations=kept.initializations + 1))
    except MediumDamaged:  # a dead chip counts nothing
        return

"""The drive's account of what was done to a cartridge: not proof."""

from dataclasses import dataclass

from tapekey.cartridge import extent, memory
from tapekey.cartridge.extent import Vote
from tapekey.exchange import Transport
from tapekey.scsi.attribute_table import AttributeId
from tapekey.scsi.counter import Absent

NONE_THERE = -1


@dataclass(frozen=True, slots=True)
class Account:
    """Of partition 0. -1: there is none; None: the drive does not tell, or sources disagree (`remarks` says which)."""

    change_reference: bytes = b""  # MAM 0009h
    first_encrypted: int | None = None  # 0224h and log 17h/0200h
    first_clear_after: int | None = None  # 0225h and log 17h/0201h
    loads: int | None = None
    written_mib: int | None = None  # in this load
    remarks: tuple[str, ...] = ()


def account(transport: Transport) -> Account:
    """Read the account of the mounted cartridge. Changes nothing, moves nothing."""
    (first,) = extent.read(transport, partitions=1)
    change = memory.read(transport, AttributeId.VOLUME_CHANGE_REFERENCE)
    return Account(
        change_reference=b"" if change is None else change.value,
        first_encrypted=_number(first.first_encrypted),
        first_clear_after=_number(first.first_clear_after),
        loads=memory.number(transport, AttributeId.LOAD_COUNT),
        written_mib=memory.number(transport, AttributeId.WRITTEN_IN_LAST_LOAD),
        remarks=first.remarks,
    )


def _number(vote: Vote) -> int | None:
    if isinstance(vote, Absent):
        return NONE_THERE if vote is Absent.NONE else None
    return vote

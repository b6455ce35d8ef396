"""Our envelopes in the cartridge's memory: host vendor attributes 1400h to 17FFh that begin with our magic.

An attribute without our magic is somebody else's and is never written over; two are known by number (LTFS, HPE) and
never touched at all. An envelope goes into a free attribute, so the older ones stay until they are removed by name.
"""

from dataclasses import dataclass
from functools import cache

from tapekey.cartridge import memory
from tapekey.errors import Conflict, DoesNotFit, DriveLied, Malformed, NotFound, RequestRefused
from tapekey.exchange import Transport
from tapekey.keys import envelope
from tapekey.scsi import attribute
from tapekey.scsi.attribute import Attribute
from tapekey.scsi.attribute_table import HOST_VENDOR, AttributeId
from tapekey.scsi.run import run

MAGIC = envelope.MAGIC
COST = 4  # bytes that the chip takes for an attribute beside its value (IBM LTO SCSI Reference, MAM)
LONGEST = 0xFFFF  # the length field of an attribute
NEVER = frozenset({AttributeId.EARLY_WARNING, AttributeId.VOLUME_LOCK})  # HPE's own; LTFS's
NO_ROOM = frozenset({"5/55/06", "5/53/06"})  # the second as IBM's list prints it
NOT_TAKEN = frozenset({"5/24/00", "5/26/00", "5/26/01", "5/26/02"})
TRIAL = MAGIC  # the magic and nothing behind it: never an envelope, and ours to remove


@dataclass(frozen=True, slots=True)
class Found:
    """An attribute that begins with our magic. `torn`: by its own words it should be longer or shorter than it is."""

    attribute: int
    value: bytes
    torn: bool = False


def read(transport: Transport) -> tuple[Found, ...]:
    """Every envelope of ours in the cartridge's memory, by ascending attribute."""
    found = (_value(transport, identifier) for identifier in _existing(transport))
    return tuple(
        Found(item.id, item.value, torn=_torn(item.value))
        for item in found
        if item is not None and item.value.startswith(MAGIC) and item.value != TRIAL
    )


def room(transport: Transport) -> int:
    """Bytes that one new envelope may have.

    0 when the drive takes no attribute of the vendor range (it lists none, and a trial is refused), or does not say
    how much room is left.
    """
    remaining = memory.number(transport, AttributeId.MEMORY_SPACE_REMAINING)
    if remaining is None or remaining <= COST + len(TRIAL) or not _takes_ours(transport):
        return 0
    return min(remaining - COST, LONGEST)


def left(transport: Transport) -> int:
    """Bytes that one new envelope might have, by the chip's word alone: whether it takes one is not tried."""
    remaining = memory.number(transport, AttributeId.MEMORY_SPACE_REMAINING)
    return 0 if remaining is None else max(0, min(remaining - COST, LONGEST))


def write(transport: Transport, value: bytes) -> Found:
    """Put an envelope into a free attribute, through to the chip, and read it back.

    The same envelope found there already is not written again. DoesNotFit: no room, or the range is refused.
    DriveLied: what is read back is not what was written.
    """
    if not value.startswith(MAGIC) or value == TRIAL:
        raise ValueError("this is no envelope")
    for found in read(transport):
        if found.value == value:
            return found
    identifier = _free(transport)
    _put(transport, identifier, value)
    back = _value(transport, identifier)
    if back is None or back.value != value:
        raise DriveLied(
            "the envelope is not in the cartridge's memory as it was written",
            why=f"attribute {identifier:04X}h reads back {_described(back)} instead of {len(value)} bytes",
            mend="try another drive; if it happens there too, the cartridge's memory is failing",
        )
    return Found(identifier, value)


def remove(transport: Transport, identifier: int) -> None:
    """Delete an attribute, but only one that holds our magic, and see that it is gone."""
    item = _value(transport, identifier) if identifier in _ours() else None
    if item is None:
        raise NotFound(f"there is no envelope in attribute {identifier:04X}h")
    if not item.value.startswith(MAGIC):
        raise Conflict(f"attribute {identifier:04X}h is not ours", why="it does not begin with our magic")
    run(transport, attribute.remove_attribute(identifier))
    if identifier in _existing(transport):
        raise DriveLied(
            f"attribute {identifier:04X}h is still there",
            why="the drive took the removal without an error",
            mend="try another drive",
        )


@cache
def _ours() -> frozenset[int]:
    return frozenset(range(HOST_VENDOR.first, HOST_VENDOR.last + 1)) - frozenset(NEVER)


def _existing(transport: Transport) -> tuple[int, ...]:
    """The attributes of our range that exist, ours or not."""
    listed = attribute.decode_ids(memory.answer(transport, attribute.list_attributes()))
    return tuple(sorted(_ours().intersection(listed)))


def _value(transport: Transport, identifier: int) -> Attribute | None:
    return memory.read(transport, identifier)


def _torn(value: bytes) -> bool:
    try:
        envelope.read(value)
    except Malformed:
        return True
    return False


def _free(transport: Transport) -> int:
    """The first attribute that does not exist yet, of those the drive lists if it lists any."""
    taken = set(_existing(transport))
    offered = _offered(transport) or _ours()
    for identifier in sorted(offered):
        if identifier not in taken:
            return identifier
    raise DoesNotFit("the cartridge's memory has no free attribute", why="the vendor range is full")


def _offered(transport: Transport) -> tuple[int, ...]:
    """What the drive lists of our range as supported (service action 05h); empty also when it has no such list."""
    try:
        listed = attribute.decode_ids(memory.answer(transport, attribute.list_supported()))
    except RequestRefused as error:
        if error.code != memory.NO_SUCH_FIELD:
            raise
        return ()
    return tuple(sorted(_ours().intersection(listed)))


def _takes_ours(transport: Transport) -> bool:
    """By the drive's list, or else by writing four bytes and taking them away again."""
    if _offered(transport):
        return True
    left_over = _trial(transport)
    if left_over is None:
        try:
            _put(transport, _free(transport), TRIAL)
        except DoesNotFit:
            return False
    took = _trial(transport)
    if took is not None:
        run(transport, attribute.remove_attribute(took))
    return took is not None


def _trial(transport: Transport) -> int | None:
    """Where a trial of ours stands, perhaps left over from one that was cut off."""
    for identifier in _existing(transport):
        item = _value(transport, identifier)
        if item is not None and item.value == TRIAL:
            return identifier
    return None


def _put(transport: Transport, identifier: int, value: bytes) -> None:
    item = Attribute(AttributeId(identifier), value)
    try:
        run(transport, attribute.write_attributes([item], write_through=True))
    except RequestRefused as error:
        if error.code in NO_ROOM:
            raise DoesNotFit("the envelope does not fit into the cartridge's memory", why=str(error)) from error
        if error.code in NOT_TAKEN:
            raise DoesNotFit(
                "the drive does not let us write to this part of the cartridge's memory",
                why=str(error),
                mend="the key-associated data and the keystore carry the key; back the keystore up",
            ) from error
        raise


def _described(item: Attribute | None) -> str:
    return "nothing" if item is None else f"{len(item.value)} other bytes"

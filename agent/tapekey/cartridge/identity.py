"""Who a cartridge is: by the serial number in its memory chip."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from tapekey.cartridge import memory
from tapekey.errors import Malformed, MediumFailed, NoCartridge, RequestRefused, StateChanged
from tapekey.exchange import Transport
from tapekey.scsi import attribute, media, mode
from tapekey.scsi.attribute_table import AttributeId, MediumType
from tapekey.scsi.mode_page import MediumConfiguration, ModePage
from tapekey.scsi.run import run


class Kind(Enum):
    """What sort of cartridge it is; the words are those of the policy's facts."""

    DATA = "data"
    WORM = "worm"
    CLEANING = "cleaning"
    FIRMWARE = "firmware"


@dataclass(frozen=True, slots=True)
class CartridgeId:
    """One cartridge: its memory's serial number (0401h) and manufacturer (0400h); the rest is told beside it."""

    serial: str
    manufacturer: str = ""
    volsers: tuple[str, ...] = field(default=(), compare=False)  # MAM 0806h: a claim
    kind: Kind = field(default=Kind.DATA, compare=False)
    write_protected: bool = field(default=False, compare=False)
    loads: int | None = field(default=None, compare=False)  # 0003h
    change_reference: bytes = field(default=b"", compare=False)  # 0009h; empty: not told

    def __str__(self) -> str:
        return self.serial


def identify(transport: Transport) -> CartridgeId:
    """Read who is mounted, ready before and after. Never an empty serial number: without one it is an error."""
    run(transport, media.test_unit_ready())
    serial = serial_number(transport)
    change = memory.read(transport, AttributeId.VOLUME_CHANGE_REFERENCE)
    volser = memory.words(transport, AttributeId.BARCODE)
    cartridge = CartridgeId(
        serial=serial,
        manufacturer=memory.words(transport, AttributeId.MEDIUM_MANUFACTURER),
        volsers=(volser,) if volser else (),
        kind=_kind(transport),
        write_protected=_write_protected(transport),
        loads=memory.number(transport, AttributeId.LOAD_COUNT),
        change_reference=b"" if change is None else change.value,
    )
    same(transport, cartridge)
    return cartridge


def same(transport: Transport, cartridge: CartridgeId) -> None:
    """See that the cartridge is still the one that is mounted. StateChanged: it is another, or none.

    Older drives answer from a copy of the chip that outlives the cartridge (IBM before LTO-7), so its serial number
    counts only while the drive is ready.
    """
    try:
        run(transport, media.test_unit_ready())
    except NoCartridge as error:
        raise StateChanged(f"cartridge {cartridge} is no longer mounted", why=str(error), code=error.code) from error
    serial = serial_number(transport)
    if serial != cartridge.serial:
        raise StateChanged(
            f"cartridge {cartridge} is no longer mounted",
            why=f"the memory now says {serial}",
            mend="begin again with the cartridge that is in the drive",
        )


def serial_number(transport: Transport) -> str:
    """What the memory says by itself: only who knows that a cartridge is mounted may believe it."""
    item = memory.read(transport, AttributeId.MEDIUM_SERIAL)
    serial = "" if item is None else attribute.words(item)
    if not serial or not serial.isascii() or not serial.isprintable():
        raise MediumFailed(
            "the cartridge cannot be identified",
            why="its memory has no serial number (0401h)" if not serial else f"its serial number is {serial!a}",
            mend="try another drive; if the memory chip is dead, only a restore by the blocks' own data is left",
        )
    return serial


def _kind(transport: Transport) -> Kind:
    """By the chip's medium type; the drive's word that the medium is write-once counts too."""
    told = memory.number(transport, AttributeId.MEDIUM_TYPE)
    kind = Kind.DATA if told is None else KINDS.get(told)
    if kind is None:
        raise MediumFailed(
            "the cartridge is of no known kind",
            why=f"its memory gives medium type {told:02X}h (0408h)",
            mend="use a data cartridge",
        )
    return Kind.WORM if _write_once(transport) else kind


def is_write_once(transport: Transport) -> bool:
    """Whether what is written on the mounted cartridge stays for good."""
    return _kind(transport) is Kind.WORM


def _write_protected(transport: Transport) -> bool:
    return mode.decode_answer_10(run(transport, mode.mode_sense(ModePage.DEVICE_CONFIGURATION))).write_protected


def _write_once(transport: Transport) -> bool:
    """WORMM of mode page 1Dh; a drive without the page leaves it to the chip."""
    try:
        data = run(transport, mode.mode_sense(ModePage.MEDIUM_CONFIGURATION, descriptor=False))
    except RequestRefused as error:
        if error.code != memory.NO_SUCH_FIELD:
            raise
        return False
    page = mode.decode_answer_10(data).read(MediumConfiguration)
    if page is None:
        raise Malformed("the drive sent another mode page", why="1Dh was asked for")
    return page.write_once


KINDS: Final[Mapping[int, Kind]] = {
    MediumType.DATA: Kind.DATA,
    MediumType.CLEANING: Kind.CLEANING,
    MediumType.WRITE_ONCE: Kind.WORM,
}

"""The attributes that the drive and the medium themselves keep in cartridge memory (reference 4.2)."""

from dataclasses import dataclass
from typing import Final

from tapekey.scsi.attribute import Attribute
from tapekey.scsi.attribute_table import AttributeId as Id
from tapekey.scsi.attribute_table import Format, MediumType, kind_of
from tapekey.target.medium_kinds import Generation
from tapekey.target.memory import Account

MANUFACTURER: Final = "TAPEKEY"
_MEBIBYTE: Final = 1 << 20
_CLEANING_CYCLES: Final = 50
_LAST_DEVICES: Final = (Id.DEVICE_AT_LAST_LOAD, Id.DEVICE_AT_LOAD_1, Id.DEVICE_AT_LOAD_2, Id.DEVICE_AT_LOAD_3)


@dataclass(frozen=True, slots=True)
class Medium:
    """What the chip says of the medium, from its making."""

    generation: Generation
    serial: str
    made: str
    type: MediumType


def device(account: Account, capacity: int, room: int, medium: Medium, tape_alert: int) -> tuple[Attribute, ...]:
    """The device's attributes, 0000h to 03FFh."""
    generation = medium.generation
    values: list[tuple[Id, int | str | bytes]] = [
        (Id.REMAINING_CAPACITY, max(capacity - account.used, 0) // _MEBIBYTE),
        (Id.MAXIMUM_CAPACITY, capacity // _MEBIBYTE),
        (Id.TAPE_ALERT_FLAGS, tape_alert),
        (Id.LOAD_COUNT, account.loads),
        (Id.MEMORY_SPACE_REMAINING, max(room, 0)),
        (Id.ASSIGNING_ORGANIZATION, generation.organization),
        (Id.FORMATTED_DENSITY, generation.density),
        (Id.INITIALIZATION_COUNT, account.initializations),
        (Id.VOLUME_CHANGE_REFERENCE, account.reference.to_bytes(generation.reference_size, "big")),
        *((number, bytes.fromhex(drive)) for number, drive in zip(_LAST_DEVICES, account.devices, strict=False)),
        (Id.WRITTEN_IN_LIFE, account.written // _MEBIBYTE),
        (Id.READ_IN_LIFE, account.read // _MEBIBYTE),
        (Id.WRITTEN_IN_LAST_LOAD, account.written_last // _MEBIBYTE),
        (Id.READ_IN_LAST_LOAD, account.read_last // _MEBIBYTE),
        (Id.FIRST_ENCRYPTED_BLOCK, account.first_encrypted),
        (Id.FIRST_CLEAR_BLOCK_AFTER, account.first_clear),
    ]
    return tuple(_attribute(number, value) for number, value in values)


def medium(item: Medium) -> tuple[Attribute, ...]:
    """The medium's attributes, 0400h to 07FFh and 1000h."""
    generation = item.generation
    values: list[tuple[Id, int | str | bytes]] = [
        (Id.MEDIUM_MANUFACTURER, MANUFACTURER),
        (Id.MEDIUM_SERIAL, item.serial),
        (Id.MEDIUM_LENGTH, generation.length),
        (Id.MEDIUM_WIDTH, generation.width),
        (Id.MEDIUM_ORGANIZATION, generation.organization),
        (Id.MEDIUM_DENSITY, generation.density),
        (Id.MANUFACTURE_DATE, item.made),
        (Id.MEMORY_CAPACITY, generation.memory),
        (Id.MEDIUM_TYPE, item.type),
        (Id.MEDIUM_TYPE_INFORMATION, _CLEANING_CYCLES if item.type is MediumType.CLEANING else 0),
        (Id.UNIQUE_CARTRIDGE_IDENTITY, f"{MANUFACTURER:<8}{item.serial:<20.20}".encode("ascii")),
    ]
    return tuple(_attribute(number, value) for number, value in values)


def drive(vendor: str, serial: str) -> str:
    """A drive as 020Ah to 020Dh name it: 8 bytes vendor and 32 bytes serial, as hex."""
    return (vendor.encode("ascii").ljust(8)[:8] + serial.encode("ascii").ljust(32)[:32]).hex()


def _attribute(number: Id, value: int | str | bytes) -> Attribute:
    kind = kind_of(number)
    if isinstance(value, str):
        image = value.encode("ascii").ljust(kind.length or 0)
    elif isinstance(value, bytes):
        image = value
    else:
        image = int(value).to_bytes(kind.length or 8, "big")
    return Attribute(number, image, Format(kind.format), read_only=True)

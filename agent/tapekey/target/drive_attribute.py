"""READ ATTRIBUTE and WRITE ATTRIBUTE: the cartridge's memory as the drive serves it (reference 4)."""

from collections.abc import Callable, Mapping
from typing import Final

from tapekey.errors import DoesNotFit, Malformed, MediumDamaged
from tapekey.exchange import Command
from tapekey.scsi import attribute
from tapekey.scsi.attribute import Attribute, ReadAction
from tapekey.scsi.attribute_table import HOST_VENDOR, KINDS, AttributeId, Format, kind_of
from tapekey.scsi.sense import SenseKey
from tapekey.target import alerts
from tapekey.target.cartridge import Cartridge
from tapekey.target.nexus import Nexus
from tapekey.target.refusal import Refusal, data_protect, illegal, invalid_cdb, invalid_parameter, sense
from tapekey.target.state import Drive
from tapekey.target.tray import Place
from tapekey.wire.layout import decode, encode

HOST_STANDARD: Final = tuple(
    number for number, kind in KINDS.items() if kind.host_writes and 0x0800 <= number <= 0x0BFF
)
# IBM LTO knows neither, and each partition has its own label elsewhere (reference 4.2).
NOT_ON_LTO: Final = (AttributeId.PARTITION_LABEL, AttributeId.LOAD_AT_PARTITION)
LONGEST: Final = 0x1000


def read_attribute(drive: Drive, nexus: Nexus, command: Command) -> bytes:
    """READ ATTRIBUTE (8Ch)."""
    cdb = decode(attribute.ReadAttribute, command.cdb)
    if cdb.volume:
        raise invalid_cdb(5)
    action = ACTIONS.get(cdb.action)
    if action is None:
        raise invalid_cdb(1, 4)
    return action(drive, cdb)[: cdb.room]


def _existing(drive: Drive, cdb: attribute.ReadAttribute) -> tuple[Attribute, ...]:
    """The attributes that exist: of the volume, or of the last one where the drive serves its cache."""
    if drive.cartridge is not None and drive.place in (Place.MOUNTED, Place.HELD):
        _check_partition(drive.cartridge, cdb.partition)
        try:
            return drive.cartridge.attributes(cdb.partition, tape_alert=alerts.number(drive.nexuses.alerts))
        except MediumDamaged as error:
            raise Refusal(sense(SenseKey.MEDIUM_ERROR, 0x11, 0x12)) from error
    if drive.last_attributes and (cdb.cache or drive.personality.mam_outlives_cartridge):
        return drive.last_attributes
    drive.require_cartridge()
    return ()


def _check_partition(cartridge: Cartridge, partition: int) -> None:
    if partition >= max(len(cartridge.tapes), 1):
        raise invalid_cdb(7)


def _values(drive: Drive, cdb: attribute.ReadAttribute) -> bytes:
    found = [item for item in _existing(drive, cdb) if item.id >= cdb.first]
    if cdb.first and cdb.first not in {item.id for item in found}:
        raise invalid_cdb(8)
    return attribute.encode_attributes(found)


def _list(drive: Drive, cdb: attribute.ReadAttribute) -> bytes:
    return attribute.encode_ids(item.id for item in _existing(drive, cdb) if item.id >= cdb.first)


def _one_volume(drive: Drive, cdb: attribute.ReadAttribute) -> bytes:
    """Logical volumes: there is one, numbered 0."""
    return encode(attribute.Numbering(first=0, count=1))


def _partitions(drive: Drive, cdb: attribute.ReadAttribute) -> bytes:
    """Partitions, numbered from 0; a volume that is not threaded tells of one."""
    volume = drive.mounted_cartridge
    return encode(attribute.Numbering(first=0, count=len(volume.tapes) if volume else 1))


def _supported(drive: Drive, cdb: attribute.ReadAttribute) -> bytes:
    known = {item.id for item in _existing(drive, cdb)} | {AttributeId(number) for number in _writable(drive)}
    if drive.personality.mam_vendor_range:
        known |= {AttributeId(number) for number in range(HOST_VENDOR.first, HOST_VENDOR.last + 1)}
    return attribute.encode_ids(number for number in known if number >= cdb.first)


ACTIONS: Final[Mapping[ReadAction, Callable[[Drive, attribute.ReadAttribute], bytes]]] = {
    ReadAction.VALUES: _values,
    ReadAction.LIST: _list,
    ReadAction.LOGICAL_VOLUMES: _one_volume,
    ReadAction.PARTITIONS: _partitions,
    ReadAction.SUPPORTED: _supported,
}


def _writable(drive: Drive) -> set[int]:
    """Standard host attributes that this drive takes."""
    unknown = NOT_ON_LTO if drive.personality.generation.startswith("lto") else ()
    return set(HOST_STANDARD) - set(unknown)


def write_attribute(drive: Drive, nexus: Nexus, command: Command) -> None:
    """WRITE ATTRIBUTE (8Dh): all of the list, or nothing."""
    cdb = decode(attribute.WriteAttribute, command.cdb)
    if cdb.volume:
        raise invalid_cdb(5)
    cartridge = drive.require_cartridge()
    _check_partition(cartridge, cdb.partition)
    if not cdb.length:
        return
    data = bytes(drive.plain_out(command, cdb.length))
    try:
        items = attribute.decode_written(data)
    except Malformed as error:
        raise illegal(0x1A, 0x00) from error
    if cartridge.protected or drive.volume_protection:
        raise data_protect(0x27, 0x00)
    _check(drive, items)
    try:
        cartridge.memory.write(items, cdb.partition, through=cdb.write_through)
    except DoesNotFit as error:
        raise illegal(0x55, 0x06) from error
    except MediumDamaged as error:
        raise Refusal(sense(SenseKey.MEDIUM_ERROR, 0x0C, 0x0B)) from error


def _check(drive: Drive, items: tuple[Attribute, ...]) -> None:
    at, last = 4, -1
    writable = _writable(drive)
    for item in items:
        if item.id <= last or not _takes(drive, writable, item):
            raise invalid_parameter(at)
        if item.value and (not item.format.known or item.format is not _format(item)):
            raise invalid_parameter(at + 2, 1)
        if not _length_fits(item):
            raise invalid_parameter(at + 3)
        at, last = at + 5 + len(item.value), item.id


def _takes(drive: Drive, writable: set[int], item: Attribute) -> bool:
    if HOST_VENDOR.first <= item.id <= HOST_VENDOR.last:
        return drive.personality.mam_vendor_range
    return item.id in writable


def _format(item: Attribute) -> Format:
    """The format that an attribute has: its own where the table has it, else whatever the host says."""
    return kind_of(item.id).format if item.id in KINDS else item.format


def _length_fits(item: Attribute) -> bool:
    length = kind_of(item.id).length
    if not item.value:
        return True
    return len(item.value) == length if length is not None else len(item.value) <= LONGEST

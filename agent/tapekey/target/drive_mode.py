"""MODE SENSE and MODE SELECT (reference 1.12, 11.3)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from tapekey.errors import Malformed
from tapekey.exchange import Command
from tapekey.scsi import mode
from tapekey.scsi.codes import Opcode
from tapekey.scsi.density import MEDIUM_TYPES, Density
from tapekey.scsi.mode import Control
from tapekey.scsi.mode_page import WriteMode
from tapekey.target import mode_partition, modes, volume_protection, write_protection
from tapekey.target.modes import Key
from tapekey.target.nexus import Nexus
from tapekey.target.partitioning import Plan
from tapekey.target.personality import Management
from tapekey.target.refusal import Refusal, illegal, invalid_cdb, invalid_parameter
from tapekey.target.state import Drive
from tapekey.target.unit_attention import Attention
from tapekey.wire.layout import decode

ALL = 0x3F
ALL_SUBPAGES = 0xFF
SAVEABLE = 0x80
KEEP_DENSITY = (0x00, 0x7F)
DEFAULT_ALGORITHM = bytes([0, 0, 0, 1])  # taken for the drive's own
PROTECTION_BYTES = 4  # of a CRC32C
FREE = frozenset({modes.IBM_VENDOR, modes.IBM_ENCRYPTION})  # pages that MODE SELECT never takes


def mode_sense(drive: Drive, nexus: Nexus, command: Command) -> bytes:
    """MODE SENSE(6) and (10)."""
    short = command.cdb[0] == Opcode.MODE_SENSE_6
    cdb = decode(mode.ModeSense6, command.cdb) if short else decode(mode.ModeSense10, command.cdb)
    pages = tuple(mode.RawPage(_image(drive, key, cdb.page_control)) for key in _wanted(drive, cdb.page, cdb.subpage))
    answer = _answer(drive, descriptor=not cdb.no_descriptor)
    answer = replace(answer, pages=pages)
    if not short:
        return mode.encode_answer_10(answer)[: cdb.room]
    try:
        return mode.encode_answer_6(answer)[: cdb.room]
    except ValueError as error:  # more than the one length byte can say
        raise invalid_cdb(2, 5) from error


def _wanted(drive: Drive, page: int, subpage: int) -> list[Key]:
    """The pages that a MODE SENSE asks for; page 00h is none at all, only header and descriptor."""
    there = modes.rows(drive.personality)
    if page == 0x00 and not subpage:
        return []
    if page == ALL:
        if subpage not in (0, ALL_SUBPAGES):
            raise invalid_cdb(3)
        return [key for key in sorted(there) if key != modes.IBM_VENDOR and (subpage or not key[1])]
    if subpage == ALL_SUBPAGES:
        found = [key for key in sorted(there) if key[0] == page]
    else:
        found = [key for key in there if key == (page, subpage)]
    if not found:
        raise invalid_cdb(2, 5) if not any(key[0] == page for key in there) else invalid_cdb(3)
    return found


def _answer(drive: Drive, *, descriptor: bool) -> mode.Answer:
    volume, block = drive.mounted_cartridge, None
    if descriptor:
        density = volume.identity.generation.density if volume else 0
        block = mode.BlockDescriptor(density=density, block_length=drive.modes.block_length)
    return mode.Answer(
        medium_type=_medium_type(drive),
        write_protected=volume is not None and write_protection.is_protected(drive),
        buffered=1,
        descriptor=block,
    )


def _medium_type(drive: Drive) -> int:
    volume = drive.mounted_cartridge
    if volume is None:
        return 0
    worm = volume.identity.worm
    if not drive.personality.ibm_pages:
        return 0x80 if worm else 0x00
    plain, write_once = MEDIUM_TYPES.get(Density(volume.identity.generation.density), (0, None))
    return write_once if worm and write_once is not None else plain


def _image(drive: Drive, key: Key, control: Control) -> bytes:
    row = modes.rows(drive.personality)[key]
    if control is Control.CHANGEABLE:
        image = _headed(row.image, row.mask)
    elif control is Control.DEFAULT:
        image = row.image
    elif control is Control.SAVED:
        image = drive.modes.saved.get(key, row.image)
    else:
        image = drive.modes.image(drive.personality, key)
    if control is not Control.CHANGEABLE:
        image = _live(drive, key, image)
    saveable = any(row.mask) and key not in modes.UNSAVED
    return bytes([image[0] | (SAVEABLE if saveable else 0)]) + image[1:]


def _headed(image: bytes, body: bytes) -> bytes:
    """A mask under the header of its page."""
    header = 4 if image[0] & 0x40 else 2
    return image[:header] + body[header:]


def _live(drive: Drive, key: Key, image: bytes) -> bytes:
    """What a page tells of the drive as it is now."""
    view = LIVE.get(key)
    return image if view is None else view(drive, image)


def _with(image: bytes, byte: int, value: int) -> bytes:
    return image[:byte] + bytes([value]) + image[byte + 1 :]


def _configuration(drive: Drive, image: bytes) -> bytes:
    """The active partition, the compression in force, and the volume's own write protection."""
    volume = drive.mounted_cartridge
    image = _with(image, 3, volume.partition if volume else 0)
    image = _with(image, 14, drive.modes.compresses(drive.personality))
    return _with(image, 15, image[15] & ~VOLUME & 0xFF | drive.volume_protection)


def _medium(drive: Drive, image: bytes) -> bytes:
    volume = drive.mounted_cartridge
    return _with(image, 2, volume is not None and volume.identity.worm)


def _ibm_vendor(drive: Drive, image: bytes) -> bytes:
    management = drive.personality.management
    capable = management is not Management.NONE
    enabled = management in (Management.APPLICATION, Management.LIBRARY)
    return _with(image, 7, (0x08 if enabled else 0) | (0x01 if capable else 0))


def _ibm_encryption(drive: Drive, image: bytes) -> bytes:
    return image[:5] + modes.METHODS[drive.personality.management]


VOLUME: Final = volume_protection.ASSOCIATED | volume_protection.PERSISTENT | volume_protection.PERMANENT
LIVE: Final[Mapping[Key, Callable[[Drive, bytes], bytes]]] = {
    modes.CONFIGURATION: _configuration,
    modes.PARTITION: mode_partition.live,
    modes.MEDIUM: _medium,
    modes.IBM_VENDOR: _ibm_vendor,
    modes.IBM_ENCRYPTION: _ibm_encryption,
}


@dataclass(frozen=True, slots=True)
class Selection:
    """What a MODE SELECT asks for, checked."""

    pages: dict[Key, bytes]
    block_length: int | None
    plan: Plan | None = None


def mode_select(drive: Drive, nexus: Nexus, command: Command) -> None:
    """MODE SELECT(6) and (10): all of it, or nothing."""
    short = command.cdb[0] == Opcode.MODE_SELECT_6
    cdb = decode(mode.ModeSelect6, command.cdb) if short else decode(mode.ModeSelect10, command.cdb)
    if not cdb.length:
        return
    data = bytes(drive.plain_out(command, cdb.length))
    try:
        answer = mode.decode_selection_6(data) if short else mode.decode_selection_10(data)
    except Malformed as error:
        raise illegal(0x1A, 0x00) from error
    if answer.pages and not cdb.page_format:
        raise invalid_cdb(1, 4)
    _adopt(drive, nexus, _checked(drive, answer, 4 if short else 8), save=cdb.save)


def _checked(drive: Drive, answer: mode.Answer, at: int) -> Selection:
    length, plan = None, None
    if answer.descriptor is not None:
        _check_descriptor(drive, answer.descriptor, at)
        length, at = answer.descriptor.block_length, at + 8
    pages: dict[Key, bytes] = {}
    there = modes.rows(drive.personality)
    for page in answer.pages:
        key = (int(page.page), page.subpage)
        if key not in there or key in FREE:
            raise invalid_parameter(at, 5)
        if key == modes.PARTITION:
            plan = mode_partition.planned(drive, page.image, at)
        else:
            pages[key] = _changed(drive, key, page.image, at)
        at += len(page.image)
    return Selection(_linked(pages), length, plan)


def _linked(pages: dict[Key, bytes]) -> dict[Key, bytes]:
    """SELECT DATA COMPRESSION ALGORITHM = 1 turns compression on, whatever page 0Fh of the same list says."""
    configuration, compression = pages.get(modes.CONFIGURATION), pages.get(modes.COMPRESSION)
    if configuration is not None and compression is not None and configuration[14]:
        return pages | {modes.COMPRESSION: _with(compression, 2, compression[2] | modes.COMPRESS)}
    return pages


def _check_descriptor(drive: Drive, descriptor: mode.BlockDescriptor, at: int) -> None:
    volume = drive.mounted_cartridge
    present = (volume.identity.generation.density,) if volume else ()
    if descriptor.density not in (*KEEP_DENSITY, *present):
        raise invalid_parameter(at)
    if descriptor.block_length > drive.personality.max_block:
        raise invalid_parameter(at + 5)


def _changed(drive: Drive, key: Key, image: bytes, at: int) -> bytes:
    """The page as it will stand. A bit that is not the client's to change must be sent as it is."""
    row = modes.rows(drive.personality)[key]
    now = _live(drive, key, drive.modes.image(drive.personality, key))
    header = 4 if image[0] & 0x40 else 2
    if len(image) != len(row.image):
        raise invalid_parameter(at + header - 1)
    if key == modes.COMPRESSION and image[4:8] == DEFAULT_ALGORITHM:
        image = image[:4] + now[4:8] + image[8:]
    for byte in range(header, len(image)):
        if (image[byte] ^ now[byte]) & ~row.mask[byte]:
            raise _wrong_bit(at + byte, (image[byte] ^ now[byte]) & ~row.mask[byte] & 0xFF)
    _check_values(drive, key, image, at)
    return row.image[:header] + image[header:]


def _wrong_bit(byte: int, bits: int) -> Refusal:
    return invalid_parameter(byte, bits.bit_length() - 1)


def _check_values(drive: Drive, key: Key, image: bytes, at: int) -> None:
    """Values that the mask alone lets through."""
    if key == modes.EXTENSION and image[5] >> 4 > WriteMode.APPEND_ONLY:
        raise invalid_parameter(at + 5, 7)
    if key == modes.PROTECTION:
        _check_protection(drive, image, at)
    if key == modes.CONFIGURATION:
        _check_configuration(drive, image, at)


def _check_protection(drive: Drive, image: bytes, at: int) -> None:
    if image[4] and image[4] not in drive.personality.protection:
        raise invalid_parameter(at + 4)
    if image[4] and image[5] != PROTECTION_BYTES:
        raise invalid_parameter(at + 5, 5)
    if not image[4] and image[6]:
        raise invalid_parameter(at + 6, image[6].bit_length() - 1)


def _check_configuration(drive: Drive, image: bytes, at: int) -> None:
    if image[14] > 1:
        raise invalid_parameter(at + 14)
    volume = image[15] & VOLUME
    if volume == drive.volume_protection:
        return
    drive.require_medium()
    if drive.volume_protection & volume_protection.PERMANENT and not volume & volume_protection.PERMANENT:
        raise invalid_parameter(at + 15, 0)


def _adopt(drive: Drive, nexus: Nexus, selection: Selection, *, save: bool) -> None:
    changed = selection.block_length not in (None, drive.modes.block_length)
    if selection.block_length is not None:
        drive.modes.block_length = selection.block_length
    if selection.plan is not None:
        drive.modes.plan = selection.plan
    for key, image in selection.pages.items():
        changed = changed or image != _live(drive, key, drive.modes.image(drive.personality, key))
        if key == modes.CONFIGURATION:
            image = _carried_out(drive, image, compression_told=modes.COMPRESSION in selection.pages)
        _put(drive, key, image, save=save)
    if changed:
        drive.nexuses.tell_others(nexus, Attention.MODE_CHANGED)


def _put(drive: Drive, key: Key, image: bytes, *, save: bool) -> None:
    drive.modes.current[key] = image
    if save and key not in modes.UNSAVED:
        drive.modes.saved[key] = image


def _carried_out(drive: Drive, image: bytes, *, compression_told: bool) -> bytes:
    """Do what page 10h asks for beside itself, and take out of it what is the drive's or the volume's own."""
    volume = drive.mounted_cartridge
    if volume is not None:
        write_protection.protect(drive, volume, image[15] & VOLUME)
    if image[14] or not compression_told:
        _compress(drive, on=bool(image[14]))
    return _with(_with(image, 3, 0), 15, image[15] & ~VOLUME & 0xFF)


def _compress(drive: Drive, *, on: bool) -> None:
    image = drive.modes.image(drive.personality, modes.COMPRESSION)
    drive.modes.current[modes.COMPRESSION] = _with(image, 2, (image[2] & 0x7F) | (modes.COMPRESS if on else 0))

"""MODE SENSE and MODE SELECT (reference 1.12, 11.3)."""

from dataclasses import dataclass, replace

from tapekey.errors import Malformed
from tapekey.exchange import Command
from tapekey.scsi import mode
from tapekey.scsi.codes import Opcode
from tapekey.scsi.density import MEDIUM_TYPES, Density
from tapekey.scsi.mode import Control
from tapekey.target import drive_write, modes
from tapekey.target.modes import Key
from tapekey.target.nexus import Nexus
from tapekey.target.personality import Management
from tapekey.target.refusal import Refusal, illegal, invalid_cdb, invalid_parameter
from tapekey.target.state import Drive
from tapekey.target.unit_attention import Attention
from tapekey.wire.layout import decode

ALL = 0x3F
ALL_SUBPAGES = 0xFF
SAVEABLE = 0x80
KEEP_DENSITY = (0x00, 0x7F)
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
        write_protected=volume is not None and drive_write.is_protected(drive),
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
    return bytes([image[0] | (SAVEABLE if any(row.mask) else 0)]) + image[1:]


def _headed(image: bytes, body: bytes) -> bytes:
    """A mask under the header of its page."""
    header = 4 if image[0] & 0x40 else 2
    return image[:header] + body[header:]


def _live(drive: Drive, key: Key, image: bytes) -> bytes:
    """What a page tells of the drive as it is now."""
    facts, volume = drive.personality, drive.mounted_cartridge
    if key == modes.MEDIUM:
        return image[:2] + bytes([volume is not None and volume.identity.worm]) + image[3:]
    if key == modes.IBM_VENDOR:
        capable = facts.management is not Management.NONE
        enabled = facts.management in (Management.APPLICATION, Management.LIBRARY)
        return image[:7] + bytes([(0x08 if enabled else 0) | (0x01 if capable else 0)])
    if key == modes.IBM_ENCRYPTION:
        return image[:5] + modes.METHODS[facts.management]
    return image


@dataclass(frozen=True, slots=True)
class Selection:
    """What a MODE SELECT asks for, checked."""

    pages: dict[Key, bytes]
    block_length: int | None


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
    length = None
    if answer.descriptor is not None:
        _check_descriptor(drive, answer.descriptor, at)
        length, at = answer.descriptor.block_length, at + 8
    pages: dict[Key, bytes] = {}
    there = modes.rows(drive.personality)
    for page in answer.pages:
        key = (int(page.page), page.subpage)
        if key not in there or key in FREE:
            raise invalid_parameter(at, 5)
        pages[key] = _changed(drive, key, page.image, at)
        at += len(page.image)
    return Selection(pages, length)


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
    for byte in range(header, len(image)):
        if (image[byte] ^ now[byte]) & ~row.mask[byte]:
            raise _wrong_bit(at + byte, (image[byte] ^ now[byte]) & ~row.mask[byte] & 0xFF)
    return row.image[:header] + image[header:]


def _wrong_bit(byte: int, bits: int) -> Refusal:
    return invalid_parameter(byte, bits.bit_length() - 1)


def _adopt(drive: Drive, nexus: Nexus, selection: Selection, *, save: bool) -> None:
    changed = selection.block_length not in (None, drive.modes.block_length)
    if selection.block_length is not None:
        drive.modes.block_length = selection.block_length
    for key, image in selection.pages.items():
        changed = changed or image != drive.modes.image(drive.personality, key)
        drive.modes.current[key] = image
        if save:
            drive.modes.saved[key] = image
    if changed:
        drive.nexuses.tell_others(nexus, Attention.MODE_CHANGED)

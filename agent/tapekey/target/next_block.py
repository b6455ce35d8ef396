"""Page 0021h: what the drive knows of the next object without reading it for the host (reference 2.6)."""

from dataclasses import replace

from tapekey.errors import MediumDamaged, NotThisKey
from tapekey.scsi.encryption import DecryptionMode, KadFormat
from tapekey.scsi.encryption_status import BlockCompression, BlockEncryption, NextBlock
from tapekey.scsi.kad import Authentication, Kad, KadType
from tapekey.target import crypt, medium_raw
from tapekey.target.medium import Tape, is_filemark
from tapekey.target.medium_record import Block, Header, Seal
from tapekey.target.nexus import Nexus
from tapekey.target.parameters import ParameterSet
from tapekey.target.refusal import Refusal
from tapekey.target.state import Drive


def next_block(drive: Drive, nexus: Nexus) -> NextBlock:
    """The status of the object before which the tape stands."""
    if not drive.mounted:
        if not drive.personality.next_block_without_medium:
            drive.require_cartridge()
        return NextBlock()
    tape = drive.tape
    here = NextBlock(object_number=tape.position, encryption=BlockEncryption.NOT_KNOWN_NOW)
    if not (drive.personality.read_ahead_knows or drive.looked_ahead):
        return here
    header = _header(tape)
    if header is None:
        return here
    if is_filemark(header):
        status = BlockEncryption(drive.personality.filemark_status)
        return replace(here, encryption=status, compression=BlockCompression.NEVER_KNOWN)
    if header.block is None or header.block.seal is None:
        return replace(here, encryption=BlockEncryption.CLEAR)
    return _encrypted(drive, drive.parameters.used_by(nexus), here, header, header.block.seal)


def _header(tape: Tape) -> Header | None:
    try:
        return tape.next()
    except MediumDamaged:
        return None


def _encrypted(drive: Drive, used: ParameterSet, here: NextBlock, header: Header, seal: Seal) -> NextBlock:
    status = _status(drive, used, header, seal)
    facts, index = drive.personality, drive.index_of(seal.algorithm)
    page = replace(here, encryption=status, kads=_kads(drive, used, header.block, seal))
    if facts.kad_format:
        page = replace(page, kad_format=KadFormat(seal.kad_format))
    if status is BlockEncryption.UNSUPPORTED:
        return page
    return replace(page, algorithm_index=index, emes=facts.records_mode and seal.external, rdmds=seal.raw_read_disabled)


def _status(drive: Drive, used: ParameterSet, header: Header, seal: Seal) -> BlockEncryption:
    if drive.index_of(seal.algorithm) == 0:
        return BlockEncryption.UNSUPPORTED
    readable = _opens(drive, used, header, seal)
    return BlockEncryption.ENCRYPTED if readable else BlockEncryption.NO_KEY


def _opens(drive: Drive, used: ParameterSet, header: Header, seal: Seal) -> bool:
    """Whether the present parameters read it. Looking is no try: it does not count towards the limit."""
    block, algorithm = header.block, drive.algorithm(used.algorithm_index)
    if block is None or algorithm is None or used.key is None or used.decryption in crypt.NOT_DECRYPTING:
        return False
    try:
        stored = drive.tape.stored(header)
        drive.parameters.cipher(used, algorithm.code).open(block, stored, bytearray(len(stored)))
    except (NotThisKey, MediumDamaged, Refusal):
        return False
    return True


def _kads(drive: Drive, used: ParameterSet, block: Block | None, seal: Seal) -> tuple[Kad, ...]:
    if used.decryption is DecryptionMode.RAW:
        made = medium_raw.metadata(block) if block is not None else b""
        return (Kad(KadType.METADATA, made, Authentication.NOT_COVERED),)
    facts = drive.personality
    found = (
        Kad(KadType.UNAUTHENTICATED, seal.unauthenticated, Authentication(facts.ukad_authentication)),
        Kad(KadType.AUTHENTICATED, seal.authenticated, Authentication(facts.akad_authentication)),
    )
    return tuple(kad for kad in found if kad.value)

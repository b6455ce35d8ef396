"""What the modes of a parameter set make of a block: the tables of the reference's 6.5 (reading) and 6.6 (writing)."""

from tapekey.errors import Malformed, MediumDamaged, NotThisKey
from tapekey.scsi.encryption import Ceem, DecryptionMode, EncryptionMode, Rdmc
from tapekey.scsi.kad import KadType
from tapekey.target import cipher, compress, medium_raw, modes
from tapekey.target.medium_record import LONGEST_BLOCK, Block, Buffer, Header, Seal
from tapekey.target.parameters import ParameterSet
from tapekey.target.personality import KadRule, RawDecryption
from tapekey.target.refusal import Refusal, data_protect
from tapekey.target.state import Drive
from tapekey.target.storing import Storing

NOT_DECRYPTING = (DecryptionMode.DISABLE, DecryptionMode.RAW)
UKAD_PADDED = 30  # T10000: a block written without U-KAD has 30 zero bytes for one


def to_store(drive: Drive, used: ParameterSet, data: Buffer) -> tuple[Block, Buffer]:
    """The block as the tape keeps it: clear, encrypted here, or encrypted elsewhere and taken as it is.

    What is encrypted lies in the drive's kept buffer until the next block.
    """
    if used.encryption is EncryptionMode.EXTERNAL:
        return _external(used, data)
    how = drive.storing
    page = drive.modes.current.get(modes.COMPRESSION)
    if how is None or not how.holds(used, drive.cartridge, drive.personality, page):
        how = drive.storing = _storing(drive, used)
    length = len(data)
    kind, content = drive.compressor.shrink(data) if how.compresses else (0, data)
    if how.seal is None:
        return Block(length, kind), content
    out = drive.lend(len(content) + cipher.TAG)
    return drive.parameters.cipher(used, how.code).seal(Block(length, kind), how.seal, content, out)


def _storing(drive: Drive, used: ParameterSet) -> Storing:
    encrypts = used.encryption is EncryptionMode.ENCRYPT
    return Storing(
        personality=drive.personality,
        cartridge=drive.cartridge,
        used=used,
        page=drive.modes.current.get(modes.COMPRESSION),
        code=check_usable(drive, used) if encrypts else 0,
        seal=_common(drive, used) if encrypts else None,
        compresses=drive.modes.compresses(drive.personality),
    )


def _common(drive: Drive, used: ParameterSet) -> Seal:
    """What the seals of all blocks under one set have in common."""
    unauthenticated = used.kad(KadType.UNAUTHENTICATED)
    if drive.personality.kad_rule is KadRule.ORACLE:
        unauthenticated = unauthenticated.ljust(UKAD_PADDED, b"\0")
    seal = cipher.keyless(
        kad_format=used.kad_format,
        unauthenticated=unauthenticated,
        authenticated=used.kad(KadType.AUTHENTICATED),
    )
    return seal._replace(raw_read_disabled=marks_raw_disabled(drive, used))


def marks_raw_disabled(drive: Drive, used: ParameterSet) -> bool:
    """Whether blocks are being marked as not readable raw."""
    if used.rdmc is Rdmc.DEFAULT:
        return drive.personality.raw is not RawDecryption.ENABLED
    return used.rdmc is Rdmc.DISABLE_RAW


def check_usable(drive: Drive, used: ParameterSet) -> int:
    """The algorithm's code; 7/74/07 where parameters that were accepted do not fit the volume ("latent" errors)."""
    algorithm, cartridge = drive.algorithm(used.algorithm_index), drive.require_cartridge()
    if algorithm is None or cartridge.identity.generation.name not in algorithm.media:
        raise data_protect(0x74, 0x07)
    if len(used.kad(KadType.UNAUTHENTICATED)) > algorithm.max_ukad:
        raise data_protect(0x74, 0x07)
    if len(used.kad(KadType.AUTHENTICATED)) > algorithm.max_akad:
        raise data_protect(0x74, 0x07)
    return algorithm.code


def _external(used: ParameterSet, data: Buffer) -> tuple[Block, Buffer]:
    try:
        block, stored = medium_raw.from_raw(data)
    except Malformed as error:
        raise data_protect(0x74, 0x0B) from error
    if medium_raw.metadata(block) != used.kad(KadType.METADATA):
        raise data_protect(0x74, 0x0B)
    return block, stored


def to_host(drive: Drive, used: ParameterSet, header: Header, into: memoryview) -> Buffer:
    """What a read of the next block gives the host, or why not: in `into` if that has the room.

    Otherwise it lies in a kept buffer, until the next block. MediumDamaged if the block is not whole.
    """
    block = header.block
    if block is None:
        raise ValueError("a filemark is not for reading")
    if block.seal is None:
        if used.decryption in (DecryptionMode.RAW, DecryptionMode.DECRYPT):
            raise data_protect(0x74, 0x02)
        return _clear(drive, block, header, into)
    check_readable(drive, used, block.seal)
    if used.decryption is DecryptionMode.RAW:
        return medium_raw.raw(block, drive.tape.stored(header))
    opened = _opened(drive, used, block, header, into)
    return opened if not block.compression else _expanded(block, opened, into)


def _clear(drive: Drive, block: Block, header: Header, into: memoryview) -> Buffer:
    if block.compression:
        return _expanded(block, drive.tape.stored(header), into)
    if len(into) < header.stored:
        return drive.tape.stored(header)
    view = into[: header.stored]
    drive.tape.stored_into(header, view)
    return view


def _opened(drive: Drive, used: ParameterSet, block: Block, header: Header, into: memoryview) -> memoryview:
    stored, algorithm = drive.tape.stored(header), drive.algorithm(used.algorithm_index)
    fits = not block.compression and len(into) >= header.stored - cipher.TAG
    try:
        keyed = drive.parameters.cipher(used, algorithm.code if algorithm else 0)
        opened = keyed.open(block, stored, into if fits else drive.lend(header.stored))
    except NotThisKey as error:
        raise wrong_key(drive) from error
    drive.tries.succeeded()
    return opened


def _expanded(block: Block, data: memoryview, into: memoryview) -> memoryview:
    if block.length > LONGEST_BLOCK:
        raise MediumDamaged("a block cannot be expanded", why=f"it claims {block.length} bytes")
    out = into[: block.length] if len(into) >= block.length else memoryview(bytearray(block.length))
    compress.expand_into(block.compression, data, out)
    return out


def check_readable(drive: Drive, used: ParameterSet, seal: Seal) -> None:
    """Refuse an encrypted block that the modes refuse whatever the key."""
    if used.decryption is DecryptionMode.DISABLE:
        raise data_protect(0x74, 0x01)
    if (used.ceem is Ceem.REFUSE_EXTERNAL and seal.external) or (
        used.ceem is Ceem.REFUSE_ENCRYPTED and not seal.external
    ):
        raise data_protect(0x74, 0x09)
    if used.decryption is DecryptionMode.RAW:
        if seal.raw_read_disabled:
            raise data_protect(0x74, 0x0A)
    elif drive.personality.kad_rule is KadRule.ORACLE:
        wanted = used.kad(KadType.UNAUTHENTICATED).ljust(UKAD_PADDED, b"\0")
        if seal.unauthenticated != wanted:
            raise wrong_key(drive)


def wrong_key(drive: Drive) -> Refusal:
    """7/74/03, counted."""
    drive.tries.failed()
    return data_protect(0x74, 0x03)

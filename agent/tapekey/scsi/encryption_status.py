"""Security protocol 20h: the parameters in force (page 0020h) and those of the next block (page 0021h) (SSC-4).

Both pages may announce more than they bring: one emulator counts 12 bytes too many. The list of key-associated data
then ends with what came.
"""

from dataclasses import dataclass

from tapekey.exchange import Command
from tapekey.scsi.encryption import (
    Ceem,
    DecryptionMode,
    EncryptionMode,
    InPage,
    KadFormat,
    Scope,
    decode_page,
    encode_page,
    read_page,
)
from tapekey.scsi.kad import Kad, decode_kads, encode_kads
from tapekey.scsi.security import ROOM
from tapekey.wire.codes import Code
from tapekey.wire.layout import bits, rest, uint, wire


class ParametersControl(Code):
    """PARAMETERS CONTROL: who may set the parameters."""

    NOT_REPORTED = 0
    NOT_EXCLUSIVE = 1  # application-managed
    DEVICE_SERVER = 2  # exclusively this one
    AUTOMATION = 3  # library-managed
    MANAGEMENT = 4  # exclusively a management interface


class BlockEncryption(Code):
    """ENCRYPTION STATUS of the next logical object."""

    NEVER_KNOWN = 0
    NOT_KNOWN_NOW = 1
    NOT_A_BLOCK = 2
    CLEAR = 3
    UNSUPPORTED = 4  # encrypted with an algorithm that this drive lacks
    ENCRYPTED = 5
    NO_KEY = 6  # encrypted, and not to be read with the parameters in force


class BlockCompression(Code):
    """COMPRESSION STATUS of the next logical object."""

    NEVER_KNOWN = 0
    NOT_KNOWN_NOW = 1
    NOT_A_BLOCK = 2
    PLAIN = 3
    COMPRESSED = 4


@wire(size=24)
@dataclass(frozen=True, slots=True)
class EncryptionStatus:
    """Data Encryption Status page (0020h).

    `algorithm_index` means nothing while both modes are DISABLE. AUTHENTICATED of the KADs is reserved here.
    """

    # fmt: off
    page_code:            InPage            = uint( 0, 2, InPage, default=InPage.STATUS)
    page_length:          int               = uint( 2, 2)
    nexus_scope:          Scope             = bits( 4, 7, 5, Scope)  # saved for this I_T nexus
    parameters_scope:     Scope             = bits( 4, 2, 0, Scope)  # stored with the set that it uses
    encryption:           EncryptionMode    = uint( 5, 1, EncryptionMode)
    decryption:           DecryptionMode    = uint( 6, 1, DecryptionMode)
    algorithm_index:      int               = uint( 7, 1)
    key_instance_counter: int               = uint( 8, 4)
    parameters_control:   ParametersControl = bits(12, 6, 4, ParametersControl)
    vcelb:                bool              = bits(12, 3, 3, bool)  # the volume contains encrypted blocks
    ceems:                Ceem              = bits(12, 2, 1, Ceem)
    rdmd:                 bool              = bits(12, 0, 0, bool)  # blocks are being marked unreadable raw
    kad_format:           KadFormat         = uint(13, 1, KadFormat)
    asdk_count:           int               = uint(14, 2)  # supplemental decryption keys available
    kads:                 tuple[Kad, ...]   = rest(24, decode_kads, encode_kads)
    # fmt: on


@wire(size=16)
@dataclass(frozen=True, slots=True)
class NextBlock:
    """Next Block Encryption Status page (0021h). Index, EMES and RDMDS count only for ENCRYPTED and NO_KEY."""

    # fmt: off
    page_code:       InPage           = uint( 0, 2, InPage, default=InPage.NEXT_BLOCK_STATUS)
    page_length:     int              = uint( 2, 2)
    object_number:   int              = uint( 4, 8)
    compression:     BlockCompression = bits(12, 7, 4, BlockCompression)
    encryption:      BlockEncryption  = bits(12, 3, 0, BlockEncryption)
    algorithm_index: int              = uint(13, 1)
    emes:            bool             = bits(14, 1, 1, bool)  # written in EXTERNAL mode
    rdmds:           bool             = bits(14, 0, 0, bool)  # marked unreadable raw
    kad_format:      KadFormat        = uint(15, 1, KadFormat)
    kads:            tuple[Kad, ...]  = rest(16, decode_kads, encode_kads)
    # fmt: on


def read_status(room: int = ROOM) -> Command:
    """Ask for the Data Encryption Status page."""
    return read_page(InPage.STATUS, room)


def read_next_block(room: int = ROOM) -> Command:
    """Ask for the Next Block Encryption Status page."""
    return read_page(InPage.NEXT_BLOCK_STATUS, room)


def encode_status(status: EncryptionStatus) -> bytes:
    """Write page 0020h."""
    return encode_page(status)


def decode_status(data: bytes) -> EncryptionStatus:
    """Read page 0020h."""
    return decode_page(EncryptionStatus, data, shorter=True)


def encode_next_block(block: NextBlock) -> bytes:
    """Write page 0021h."""
    return encode_page(block)


def decode_next_block(data: bytes) -> NextBlock:
    """Read page 0021h."""
    return decode_page(NextBlock, data, shorter=True)

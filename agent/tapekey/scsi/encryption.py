"""Security protocol 20h, tape data encryption (SSC-4): what a drive can do, and the codes that its pages share.

Here are pages 0010h and 0012h; `encryption_support` has the lists of what is supported.

PAGE LENGTH is at bytes 2-3 of every page here. A page that announces more than came is cut short, and refused;
bytes behind the announced length are ignored, as a longer allocation is allowed to bring them.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TypeVar

from tapekey.errors import Malformed
from tapekey.exchange import Command
from tapekey.scsi.codes import SecurityProtocol
from tapekey.scsi.security import ROOM, security_protocol_in
from tapekey.wire.codes import Code
from tapekey.wire.layout import Reader, bits, decode, encode, rest, uint, wire

T = TypeVar("T")


class InPage(Code):
    """Pages of SECURITY PROTOCOL IN."""

    IN_SUPPORT = 0x0000
    OUT_SUPPORT = 0x0001
    CAPABILITIES = 0x0010
    KEY_FORMATS = 0x0011
    MANAGEMENT_CAPABILITIES = 0x0012
    STATUS = 0x0020
    NEXT_BLOCK_STATUS = 0x0021
    GET_MANAGEMENT_ATTRIBUTES = 0x0022
    RANDOM_NUMBER = 0x0030
    PUBLIC_KEY = 0x0031


class OutPage(Code):
    """Pages of SECURITY PROTOCOL OUT."""

    SET_DATA_ENCRYPTION = 0x0010
    SA_ENCAPSULATION = 0x0011  # no drive seen
    SET_MANAGEMENT_ATTRIBUTES = 0x0022


class EncryptionMode(Code):
    """ENCRYPTION MODE: what happens to what is written."""

    DISABLE = 0
    EXTERNAL = 1
    ENCRYPT = 2


class DecryptionMode(Code):
    """DECRYPTION MODE: what happens to what is read."""

    DISABLE = 0
    RAW = 1
    DECRYPT = 2
    MIXED = 3


class Scope(Code):
    """SCOPE: whose parameters they are. PUBLIC means to use the set that somebody shares."""

    PUBLIC = 0
    LOCAL = 1
    ALL = 2


class KeyFormat(Code):
    """KEY FORMAT."""

    PLAINTEXT = 0x00
    VENDOR_REFERENCE = 0x01
    WRAPPED = 0x02  # by the device server's public key
    ESP_SCSI = 0x03


class KadFormat(Code):
    """KAD FORMAT: whether the key-associated data is to be read as a key's name."""

    UNSPECIFIED = 0
    BINARY_NAME = 1
    ASCII_NAME = 2


class Ceem(Code):
    """CEEM: check of a block's encryption mode when it is read."""

    DEFAULT = 0
    NO_CHECK = 1
    REFUSE_EXTERNAL = 2
    REFUSE_ENCRYPTED = 3


class Rdmc(Code):
    """RDMC: whether blocks being written are marked as readable raw."""

    DEFAULT = 0
    ENABLE_RAW = 2
    DISABLE_RAW = 3


class Capable(Code):
    """EXTDECC: whether somebody outside this device server can control the encryption."""

    NOT_REPORTED = 0
    NOT_CAPABLE = 1
    CAPABLE = 2


class Configuration(Code):
    """CFG_P: whether this device server may set encryption parameters, or somebody else holds them."""

    NOT_REPORTED = 0
    ALLOWED = 1
    PREVENTED = 2


class Cryption(Code):
    """DECRYPT_C and ENCRYPT_C. NONE is also reported for an algorithm that is disabled."""

    NONE = 0
    SOFTWARE = 1
    HARDWARE = 2
    EXTERNAL_CONTROL = 3


class Validity(Code):
    """AVFCLP: whether the algorithm is valid for writing at the current position."""

    NOT_APPLICABLE = 0
    NOT_VALID = 1
    VALID = 2


class NonceCapability(Code):
    """NONCE_C: where the nonce comes from."""

    NONE_NEEDED = 0
    DEVICE = 1
    CLIENT = 2
    EITHER = 3


class DkadCapability(Code):
    """DKAD_C: whether key-associated data goes with a key that is set for decryption."""

    NOT_SPECIFIED = 0
    REQUIRED = 1
    NOT_ALLOWED = 2
    OPTIONAL = 3


class ExternalCapability(Code):
    """EEMC_C: whether writing in EXTERNAL mode is allowed."""

    NOT_SPECIFIED = 0
    NOT_ALLOWED = 1
    ALLOWED = 2


class RawCapability(Code):
    """RDMC_C: what becomes of raw reads by default, and whether RDMC may change that."""

    NOT_SPECIFIED = 0
    NEVER = 1
    DISABLED = 4
    ENABLED = 5
    ALWAYS_DISABLED = 6
    ALWAYS_ENABLED = 7


class AlgorithmCode(Code):
    """SECURITY ALGORITHM CODE. From 8001_0400h on they are the vendors' own."""

    AES_256_CBC_HMAC_SHA1 = 0x0001_000C
    AES_256_CCM_128 = 0x0001_0010
    AES_256_GCM_128 = 0x0001_0014
    AES_256_XTS_HMAC_SHA512 = 0x0001_0016
    ESP_AES_256_CCM_128 = 0x8001_0010  # one emulator reports this for a T10000
    ESP_AES_256_GCM_128 = 0x8001_0014  # unverified


@wire(size=24)
@dataclass(frozen=True, slots=True)
class Algorithm:
    """Algorithm descriptor of page 0010h. The index is a handle: it is 1 on some drives, 3 or 0 on others."""

    # fmt: off
    index:             int                = uint( 0, 1)
    descriptor_length: int                = uint( 2, 2, default=20)
    avfmv:             bool               = bits( 4, 7, 7, bool)  # valid for the mounted volume
    sdk_c:             bool               = bits( 4, 6, 6, bool)  # takes supplemental decryption keys
    mac_c:             bool               = bits( 4, 5, 5, bool)  # adds a message authentication code
    delb_c:            bool               = bits( 4, 4, 4, bool)  # tells encrypted blocks from clear ones
    decrypt_c:         Cryption           = bits( 4, 3, 2, Cryption)
    encrypt_c:         Cryption           = bits( 4, 1, 0, Cryption)
    avfclp:            Validity           = bits( 5, 7, 6, Validity)
    nonce_c:           NonceCapability    = bits( 5, 5, 4, NonceCapability)
    kadf_c:            bool               = bits( 5, 3, 3, bool)  # KAD FORMAT is honoured
    vcelb_c:           bool               = bits( 5, 2, 2, bool)  # VCELB of page 0020h is meaningful
    ukadf:             bool               = bits( 5, 1, 1, bool)  # U-KAD has exactly the maximum length
    akadf:             bool               = bits( 5, 0, 0, bool)  # A-KAD likewise
    max_ukad:          int                = uint( 6, 2)
    max_akad:          int                = uint( 8, 2)
    key_size:          int                = uint(10, 2)
    dkad_c:            DkadCapability     = bits(12, 7, 6, DkadCapability)
    eemc_c:            ExternalCapability = bits(12, 5, 4, ExternalCapability)
    rdmc_c:            RawCapability      = bits(12, 3, 1, RawCapability)
    earem:             bool               = bits(12, 0, 0, bool)  # the mode is recorded with each block
    max_eedk_count:    int                = bits(13, 3, 0)
    msdk_count:        int                = uint(14, 2)  # supplemental decryption keys
    max_eedk_size:     int                = uint(16, 2)
    code:              AlgorithmCode      = uint(20, 4, AlgorithmCode)
    # fmt: on


def encode_algorithms(algorithms: Iterable[Algorithm]) -> bytes:
    """Write algorithm descriptors one behind the other."""
    return b"".join(encode(algorithm) for algorithm in algorithms)


def decode_algorithms(data: bytes) -> tuple[Algorithm, ...]:
    """Read algorithm descriptors, stepping by DESCRIPTOR LENGTH: newer drives may lengthen them."""
    reader = Reader(data, "list of algorithms")
    algorithms = []
    while reader.left:
        head = reader.take(4, "descriptor")
        body = reader.take(int.from_bytes(head[2:4], "big"), "descriptor")
        algorithms.append(decode(Algorithm, head + body))
    return tuple(algorithms)


@wire(size=20)
@dataclass(frozen=True, slots=True)
class Capabilities:
    """Data Encryption Capabilities page (0010h)."""

    # fmt: off
    page_code:   InPage                = uint(0, 2, InPage, default=InPage.CAPABILITIES)
    page_length: int                   = uint(2, 2)
    extdecc:     Capable               = bits(4, 3, 2, Capable)  # external data encryption control
    cfg_p:       Configuration         = bits(4, 1, 0, Configuration)
    algorithms:  tuple[Algorithm, ...] = rest(20, decode_algorithms, encode_algorithms)
    # fmt: on


@wire(size=16)
@dataclass(frozen=True, slots=True)
class ManagementCapabilities:
    """Data Encryption Management Capabilities page (0012h)."""

    # fmt: off
    page_code:   InPage = uint(0, 2, InPage, default=InPage.MANAGEMENT_CAPABILITIES)
    page_length: int    = uint(2, 2)
    lock_c:      bool   = bits(4, 0, 0, bool)
    ckod_c:      bool   = bits(5, 2, 2, bool)  # clear key on demount
    ckorp_c:     bool   = bits(5, 1, 1, bool)  # on reservation preempt
    ckorl_c:     bool   = bits(5, 0, 0, bool)  # on reservation loss
    aitn_c:      bool   = bits(7, 2, 2, bool)  # scope ALL I_T NEXUS
    local_c:     bool   = bits(7, 1, 1, bool)
    public_c:    bool   = bits(7, 0, 0, bool)
    # fmt: on


def read_page(page: InPage, room: int = ROOM) -> Command:
    """Ask for a page of tape data encryption."""
    return security_protocol_in(SecurityProtocol.TAPE_DATA_ENCRYPTION, page, room)


def read_capabilities(room: int = ROOM) -> Command:
    """Ask for the Data Encryption Capabilities page."""
    return read_page(InPage.CAPABILITIES, room)


def read_management_capabilities(room: int = ROOM) -> Command:
    """Ask for the Data Encryption Management Capabilities page."""
    return read_page(InPage.MANAGEMENT_CAPABILITIES, room)


def encode_page(page: object) -> bytes:
    """Write a page, with the PAGE LENGTH that it has."""
    length = len(encode(page)) - 4
    return encode(replace(page, page_length=length))  # type: ignore[type-var]


def decode_page(structure: type[T], data: bytes, *, shorter: bool = False) -> T:
    """Read a page: the right one, and no further than was received and announced.

    `shorter` takes a page that announces more than came, as long as its fixed part is there.
    """
    name = structure.__name__
    head = Reader(data, name)
    code, length = head.number(2, "page code"), head.number(2, "page length")
    if code != structure().page_code:  # type: ignore[attr-defined]
        raise Malformed(f"{name} is another page", why=f"page code {code:04X}h")
    if length > head.left and not shorter:
        raise Malformed(f"{name} is cut short", why=f"{length} bytes are announced, {head.left} came")
    return decode(structure, data[: 4 + length])

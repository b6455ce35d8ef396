"""Security protocol 20h, Set Data Encryption (page 0010h of SPOUT, SSC-4): the command that carries the key.

The whole parameter list is a `Secret`, from the builder to the transport and from there into the virtual drive, so
that no trace of a command can show a key.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from tapekey.errors import Malformed
from tapekey.exchange import Command
from tapekey.scsi import security, sense
from tapekey.scsi.codes import SecurityProtocol
from tapekey.scsi.encryption import (
    Ceem,
    DecryptionMode,
    EncryptionMode,
    KadFormat,
    KeyFormat,
    OutPage,
    Rdmc,
    Scope,
)
from tapekey.scsi.kad import Kad, decode_kads, encode_kads
from tapekey.secret import Secret
from tapekey.wire.layout import bits, decode, encode, size_of, uint, wire


@wire(size=20)
@dataclass(frozen=True, slots=True)
class SetDataEncryption:
    """Set Data Encryption page (0010h), up to the key. Behind the key stand the KAD descriptors."""

    # fmt: off
    page_code:       OutPage        = uint( 0, 2, OutPage, default=OutPage.SET_DATA_ENCRYPTION)
    page_length:     int            = uint( 2, 2)
    scope:           Scope          = bits( 4, 7, 5, Scope)
    lock:            bool           = bits( 4, 0, 0, bool)
    ceem:            Ceem           = bits( 5, 7, 6, Ceem)
    rdmc:            Rdmc           = bits( 5, 5, 4, Rdmc)
    sdk:             bool           = bits( 5, 3, 3, bool)  # a supplemental decryption key
    ckod:            bool           = bits( 5, 2, 2, bool)  # clear key on demount
    ckorp:           bool           = bits( 5, 1, 1, bool)  # on reservation preempt
    ckorl:           bool           = bits( 5, 0, 0, bool)  # on reservation loss
    encryption:      EncryptionMode = uint( 6, 1, EncryptionMode)
    decryption:      DecryptionMode = uint( 7, 1, DecryptionMode)
    algorithm_index: int            = uint( 8, 1)
    key_format:      KeyFormat      = uint( 9, 1, KeyFormat)
    kad_format:      KadFormat      = uint(10, 1, KadFormat)
    key_length:      int            = uint(18, 2)
    # fmt: on


def set_data_encryption(page: SetDataEncryption, key: Secret | None = None, kads: Iterable[Kad] = ()) -> Command:
    """Set encryption parameters. PAGE LENGTH and KEY LENGTH are filled in; reserved bytes are zero."""
    tail = encode_kads(kads)
    size = len(key) if key else 0
    head = encode(replace(page, page_length=size_of(SetDataEncryption) - 4 + size + len(tail), key_length=size))
    data = Secret.joined([head, key, tail] if key else [head, tail])
    return security.security_protocol_out(SecurityProtocol.TAPE_DATA_ENCRYPTION, page.page_code, data)


def decode_set_data_encryption(data: Secret) -> tuple[SetDataEncryption, Secret | None, tuple[Kad, ...]]:
    """Take a parameter list apart: page, key, key-associated data. Bytes behind PAGE LENGTH are ignored."""
    with data.reveal() as view:
        page = decode(SetDataEncryption, view[: size_of(SetDataEncryption)])
        end = 4 + page.page_length
        start = size_of(SetDataEncryption) + page.key_length
        if page.page_code != OutPage.SET_DATA_ENCRYPTION:
            raise Malformed("SetDataEncryption is another page", why=f"page code {page.page_code:04X}h")
        if end > len(view):
            raise Malformed("SetDataEncryption is cut short", why=f"{end} bytes are announced, {len(view)} came")
        if start > end:
            raise Malformed("SetDataEncryption is cut short", why=f"a key of {page.key_length} bytes is announced")
        key = Secret(view[size_of(SetDataEncryption) : start]) if page.key_length else None
        return page, key, decode_kads(bytes(view[start:end]))


def field_name(pointer: sense.FieldPointer, key_length: int = 0) -> str:
    """Name what a drive objects to in this command: a field of the CDB or of the page, the key, or the KADs."""
    if pointer.in_cdb:
        return security.field_name(pointer)
    if pointer.byte < size_of(SetDataEncryption):
        return sense.field_name(SetDataEncryption, pointer)
    return "KEY" if pointer.byte < size_of(SetDataEncryption) + key_length else "KEY-ASSOCIATED DATA"

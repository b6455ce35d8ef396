"""The full envelope: a data key wrapped for all its recipients, bound to one medium, in a compact fixed layout.

It is made to fit a cartridge's memory, and everything in it is hostile input until it opens. The layout and what each
wrapped key is bound to are specified in `docs/formats/envelope.md`; this module and that page change together.
"""

import hashlib
import hmac
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

from tapekey.errors import DoesNotFit, EnvelopeRefused, KeyUnavailable, Malformed, NotThisKey
from tapekey.keys import signature
from tapekey.keys.commitment import check_value, confirm
from tapekey.keys.data_key import DATA_KEY_SIZE, DataKey, KeyId
from tapekey.keys.identity import Identity
from tapekey.keys.recipient import Named, Recipient
from tapekey.keys.signature import Signature, SigningKey
from tapekey.keys.suite import HPKE, WRAPPED_SIZE, Suite
from tapekey.secret import Secret

MAGIC = b"TPKE"
VERSION = 1
MAX_SIZE = 16384
LOCATOR_SIZE = 8
MANAGER_ID_SIZE = 16
TEXT_MAX = 32

# magic, version, flags, whole length, key id, check value, manager id, sequence
_HEAD = struct.Struct(">4sBBH16s16s16sI")
# suite, length of the wrapped key, locator
_STANZA_HEAD = struct.Struct(">BH8s")
_CRC_SIZE = 4
_FLAG_ID_ONLY = 0x01
_FLAG_SIGNED = 0x02


@dataclass(frozen=True, slots=True)
class Binding:
    """What an envelope belongs to. The volser is a claim: it is carried, but no wrapped key is bound to it."""

    key_id: KeyId
    medium_serial: str
    manager_id: bytes
    sequence: int
    volser: str = ""

    def __post_init__(self) -> None:
        if len(self.manager_id) != MANAGER_ID_SIZE:
            raise ValueError("a manager id has 16 bytes")
        if not 0 <= self.sequence < 1 << 32:
            raise ValueError("a sequence number has 32 bits")
        _require_text("medium serial", self.medium_serial)
        _require_text("volser", self.volser)
        if not self.medium_serial.strip():
            raise Malformed("an envelope needs the medium's serial", why="it is blank")


@dataclass(frozen=True, slots=True)
class Stanza:
    """The key wrapped for one recipient. A suite that is not in `Suite` is kept, and opened by nobody here."""

    suite: int
    locator: bytes
    wrapped: bytes


@dataclass(frozen=True, slots=True)
class Envelope:
    """A full envelope, read but not believed."""

    binding: Binding
    check: bytes
    stanzas: tuple[Stanza, ...]
    id_only: bool = False
    signature: Signature | None = None

    def names(self, recipient: Recipient) -> bool:
        """Whether a stanza's locator is this recipient's."""
        return bool(_stanzas_for(self, recipient))


@dataclass(frozen=True, slots=True)
class Sealed:
    """An envelope's bytes, and who is in it, by name. `withheld` were left out because a hybrid is in the rule."""

    envelope: bytes
    carried: tuple[str, ...]
    left_out: tuple[str, ...]
    withheld: tuple[str, ...] = ()


# --- making -------------------------------------------------------------------------------------------------


def seal(
    key: DataKey,
    binding: Binding,
    recipients: Sequence[Named],
    *,
    room: int | None = None,
    id_only: bool = False,
    signer: SigningKey | None = None,
) -> Sealed:
    """Wrap a key for recipients in their order, as far as there is room; sign if room is left.

    A recipient that does not fit is left out and the next is tried. DoesNotFit: nobody fits.
    """
    if binding.key_id != key.id:
        raise ValueError("the binding names another key")
    room = MAX_SIZE if room is None else min(room, MAX_SIZE)
    envelope = Envelope(binding, check_value(key), (), id_only)
    withheld = frozenset[str]() if id_only else _withheld(recipients)
    carried: list[str] = []
    for named in () if id_only else recipients:
        if named.name in withheld:
            continue
        grown = _with_stanza(envelope, _wrap(key, named.recipient, binding, envelope.check))
        if len(encode(grown)) <= room:
            envelope = grown
            carried.append(named.name)
    if len(encode(envelope)) > room or not (carried or id_only):
        raise _no_room(room)
    data = _signed(envelope, signer, room)
    left_out = tuple(named.name for named in recipients if named.name not in carried)
    return Sealed(data, tuple(carried), left_out, tuple(name for name in left_out if name in withheld))


def encode(envelope: Envelope) -> bytes:
    """Lay an envelope out in bytes."""
    tail = _encode_signature(envelope.signature)
    body = _encode_signed_part(envelope) + tail
    return body + zlib.crc32(body).to_bytes(_CRC_SIZE, "big")


def context(recipient: Recipient, binding: Binding, check: bytes) -> bytes:
    """What a wrapped key in a full envelope is bound to."""
    serial = binding.medium_serial.encode("ascii")
    return b"".join(
        (
            b"tapekey/env/1",
            bytes([recipient.suite]),
            recipient.fingerprint,
            binding.key_id.raw,
            bytes([len(serial)]) + serial,
            binding.manager_id,
            binding.sequence.to_bytes(4, "big"),
            check,
        )
    )


# --- reading ------------------------------------------------------------------------------------------------


def is_envelope(data: bytes) -> bool:
    """Whether these bytes claim to be a full envelope: our magic, sound or not."""
    return data[: len(MAGIC)] == MAGIC


def read(data: bytes) -> Envelope:
    """Read an envelope. Malformed: not one, torn, or of a newer version."""
    body = _whole_body(data)
    _, _, flags, _, key_id, check, manager, sequence = _HEAD.unpack_from(body)
    if flags & ~(_FLAG_ID_ONLY | _FLAG_SIGNED):
        raise _malformed("it has flags that this version does not know")
    at = _HEAD.size
    serial, at = _read_text(body, at)
    volser, at = _read_text(body, at)
    stanzas, at = _read_stanzas(body, at)
    signed, at = _read_signature(body, at, bool(flags & _FLAG_SIGNED))
    if at != len(body):
        raise _malformed(f"{len(body) - at} bytes are left over")
    id_only = bool(flags & _FLAG_ID_ONLY)
    if id_only is bool(stanzas):
        raise _malformed("it must either name the key only or carry wrapped keys")
    binding = Binding(KeyId(key_id), serial, manager, sequence, volser)
    return Envelope(binding, check, stanzas, id_only, signed)


def open_envelope(envelope: Envelope, identity: Identity, medium_serial: str) -> DataKey:
    """Unwrap the data key of an envelope that was found on this medium.

    NotThisKey: it was not made for this identity. EnvelopeRefused: it was, and is not to be believed.
    KeyUnavailable: it carries no key at all.
    """
    if envelope.binding.medium_serial != medium_serial:
        raise EnvelopeRefused(
            f"the envelope on cartridge {medium_serial} belongs to cartridge {envelope.binding.medium_serial}",
            why="it was copied from one to the other",
            mend="find out who did that; the key that opens this cartridge is elsewhere",
        )
    if envelope.id_only:
        raise KeyUnavailable(
            f"the envelope names key {envelope.binding.key_id} and carries no copy of it",
            why="its rule says carry = id",
            mend="ask the keystore that made it",
        )
    mine = _stanzas_for(envelope, identity.recipient)
    if not mine:
        raise NotThisKey("the envelope was not made for this key")
    return _open_first(mine, envelope, identity)


def verify_signature(envelope: Envelope, manager_key: bytes) -> None:
    """Return if the manager with this raw Ed25519 key signed it; see `signature.verify`."""
    signature.verify(envelope.signature, _encode_signed_part(envelope), manager_key)


# --- one wrapped key ----------------------------------------------------------------------------------------


def _wrap(key: DataKey, recipient: Recipient, binding: Binding, check: bytes) -> Stanza:
    bound = context(recipient, binding, check)
    plain = key.secret
    if recipient.suite not in HPKE:
        plain = Secret.joined((key.secret, hashlib.sha256(bound).digest()))
    return Stanza(recipient.suite, recipient.fingerprint[:LOCATOR_SIZE], recipient.wrap(plain, bound))


def _open_first(stanzas: Sequence[Stanza], envelope: Envelope, identity: Identity) -> DataKey:
    bound = context(identity.recipient, envelope.binding, envelope.check)
    refusal: NotThisKey | None = None
    for stanza in stanzas:
        try:
            plain = identity.open(stanza.wrapped, bound)
        except NotThisKey as refused:
            refusal = refused
            continue
        secret = _unbound(plain, bound) if identity.suite not in HPKE else plain
        return confirm(DataKey(envelope.binding.key_id, secret), envelope.check)
    raise EnvelopeRefused(
        "the envelope names this key and does not open with it",
        why="it was changed, or its parts come from different envelopes",
        mend="use another copy: the tape's key-associated data, or the keystore",
    ) from refusal


def _unbound(plain: Secret, bound: bytes) -> Secret:
    """Take the key out of `DK ‖ SHA-256(context)`, if the context is ours."""
    view = plain.reveal()
    if not hmac.compare_digest(view[DATA_KEY_SIZE:], hashlib.sha256(bound).digest()):
        raise EnvelopeRefused(
            "the wrapped key belongs to another envelope",
            why="it is bound to another medium, key id, manager or sequence",
            mend="use another copy: the tape's key-associated data, or the keystore",
        )
    return Secret(view[:DATA_KEY_SIZE])


def _stanzas_for(envelope: Envelope, recipient: Recipient) -> list[Stanza]:
    wanted = (recipient.suite, recipient.fingerprint[:LOCATOR_SIZE])
    return [stanza for stanza in envelope.stanzas if (stanza.suite, stanza.locator) == wanted]


# --- who is in it -------------------------------------------------------------------------------------------


def _withheld(recipients: Sequence[Named]) -> frozenset[str]:
    """A classical copy beside a hybrid one would undo what the hybrid is for."""
    if not any(named.recipient.suite.hybrid for named in recipients):
        return frozenset()
    return frozenset(named.name for named in recipients if named.recipient.suite.classical)


def _with_stanza(envelope: Envelope, stanza: Stanza) -> Envelope:
    return Envelope(envelope.binding, envelope.check, (*envelope.stanzas, stanza), envelope.id_only)


def _signed(envelope: Envelope, signer: SigningKey | None, room: int) -> bytes:
    plain = encode(envelope)
    if signer is None or len(plain) + signature.SIZE > room:
        return plain
    # The signature covers the flag and the length that announce it.
    blank = Signature(bytes(signature.SIGNER_ID_SIZE), bytes(signature.VALUE_SIZE))
    announced = Envelope(envelope.binding, envelope.check, envelope.stanzas, envelope.id_only, blank)
    made = signer.sign(_encode_signed_part(announced))
    return encode(Envelope(envelope.binding, envelope.check, envelope.stanzas, envelope.id_only, made))


def _no_room(room: int) -> DoesNotFit:
    return DoesNotFit(
        "the envelope does not fit, for not even one recipient",
        why=f"there is room for {room} bytes",
        mend="put a recipient with a small key (X25519, or a group KEK) into the rule",
    )


# --- bytes --------------------------------------------------------------------------------------------------


def _encode_signed_part(envelope: Envelope) -> bytes:
    binding = envelope.binding
    rest = b"".join(
        (
            _encode_text(binding.medium_serial),
            _encode_text(binding.volser),
            bytes([len(envelope.stanzas)]),
            *(_STANZA_HEAD.pack(s.suite, len(s.wrapped), s.locator) + s.wrapped for s in envelope.stanzas),
        )
    )
    signed = envelope.signature is not None
    flags = (_FLAG_ID_ONLY if envelope.id_only else 0) | (_FLAG_SIGNED if signed else 0)
    whole = _HEAD.size + len(rest) + (signature.SIZE if signed else 0) + _CRC_SIZE
    key_id = binding.key_id.raw
    head = _HEAD.pack(MAGIC, VERSION, flags, whole, key_id, envelope.check, binding.manager_id, binding.sequence)
    return head + rest


def _encode_text(text: str) -> bytes:
    return bytes([len(text)]) + text.encode("ascii")


def _encode_signature(made: Signature | None) -> bytes:
    return made.signer_id + made.value if made else b""


def _whole_body(data: bytes) -> bytes:
    """Check magic, version, length and checksum, in that order; give all but the checksum."""
    if not is_envelope(data):
        raise _malformed("it does not start with its mark")
    if len(data) < _HEAD.size + _CRC_SIZE or len(data) > MAX_SIZE:
        raise _malformed(f"{len(data)} bytes are too few or too many")
    if data[4] != VERSION:
        raise _malformed(f"it has version {data[4]}; this program reads version {VERSION}")
    announced = int.from_bytes(data[6:8], "big")
    if announced != len(data):
        raise _malformed(f"it is torn: {len(data)} bytes of {announced}")
    body = data[:-_CRC_SIZE]
    if zlib.crc32(body).to_bytes(_CRC_SIZE, "big") != data[-_CRC_SIZE:]:
        raise _malformed("it is torn: its checksum differs")
    return body


def _take(body: bytes, at: int, size: int) -> bytes:
    part = body[at : at + size]
    if len(part) != size:
        raise _malformed(f"it ends within a field at byte {at}")
    return part


def _read_text(body: bytes, at: int) -> tuple[str, int]:
    size = _take(body, at, 1)[0]
    text = _take(body, at + 1, size).decode("latin-1")
    return _require_text("text field", text), at + 1 + size


def _read_stanzas(body: bytes, at: int) -> tuple[tuple[Stanza, ...], int]:
    count = _take(body, at, 1)[0]
    at += 1
    stanzas = []
    for _ in range(count):
        suite, size, locator = _STANZA_HEAD.unpack(_take(body, at, _STANZA_HEAD.size))
        wrapped = _take(body, at + _STANZA_HEAD.size, size)
        if suite in WRAPPED_SIZE and size not in WRAPPED_SIZE[Suite(suite)]:
            raise _malformed(f"{size} bytes are no wrapped key of suite {suite}")
        stanzas.append(Stanza(suite, locator, wrapped))
        at += _STANZA_HEAD.size + size
    return tuple(stanzas), at


def _read_signature(body: bytes, at: int, signed: bool) -> tuple[Signature | None, int]:
    if not signed:
        return None, at
    raw = _take(body, at, signature.SIZE)
    return Signature(raw[: signature.SIGNER_ID_SIZE], raw[signature.SIGNER_ID_SIZE :]), at + signature.SIZE


def _require_text(what: str, text: str) -> str:
    if len(text) > TEXT_MAX or not all(" " <= character <= "~" for character in text):
        raise Malformed(
            f"the {what} {text!r} cannot stand in an envelope", why="it takes 32 printable ASCII characters"
        )
    return text


def _malformed(why: str) -> Malformed:
    return Malformed("this is not a whole envelope", why=why)

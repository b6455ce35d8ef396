"""The brief envelope: one recipient, small enough for key-associated data.

Four forms, told apart by length and first bytes (`docs/formats/envelope.md`). It is bound to suite and recipient
only, not to the medium, since it is needed when the cartridge's memory is dead. Recipient ids in it are locators.
Two forms have no room for the key id: the key that they give bears a derived id unless the caller knows better.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from tapekey.errors import DoesNotFit, EnvelopeRefused, KeyUnavailable, Malformed, NotThisKey
from tapekey.keys.commitment import derived_id
from tapekey.keys.data_key import KEY_ID_SIZE, DataKey, KeyId
from tapekey.keys.identity import Identity
from tapekey.keys.recipient import Named, Recipient
from tapekey.keys.suite import Suite

# No text starts with it, so a key name that another program put there is not taken for a brief envelope.
VERSION = 0xE1
_ID_ONLY = 0  # in the place of the suite


@dataclass(frozen=True, slots=True)
class KadRoom:
    """Bytes of key-associated data that a drive stores beside every block, from its capabilities page."""

    authenticated: int
    unauthenticated: int

    @property
    def total(self) -> int:
        return self.authenticated + self.unauthenticated


class Form(Enum):
    """Each form by its size in bytes."""

    # fmt: off
    X25519  = 92  # version, suite 2, recipient (10), HPKE ciphertext (80)
    AES_KW  = 66  # version, suite 7, recipient (8), key id (16), wrapped key (40)
    TAGGED  = 44  # KEK tag (4), wrapped key (40): LTO-4
    ID_ONLY = 18  # version, 0, key id (16)
    # fmt: on


LOCATOR_SIZE = {Form.X25519: 10, Form.AES_KW: 8, Form.TAGGED: 4, Form.ID_ONLY: 0}


@dataclass(frozen=True, slots=True)
class Brief:
    """A brief envelope, read but not believed. `key_id`, where there is one, is a claim."""

    form: Form
    locator: bytes
    key_id: KeyId | None
    wrapped: bytes

    def names(self, recipient: Recipient) -> bool:
        """Whether its locator is this recipient's; a short locator may be another's too."""
        suite = Suite.HPKE_X25519 if self.form is Form.X25519 else Suite.AES_KW
        located = recipient.fingerprint.startswith(self.locator)
        return self.form is not Form.ID_ONLY and recipient.suite is suite and located


def seal_brief(key: DataKey, recipients: Sequence[Named], room: KadRoom, *, id_only: bool = False) -> bytes:
    """Wrap the key for the first recipient whose form fits; name the key alone if none does, or if that is asked.

    If one recipient is a hybrid, no classical public key gets a copy. DoesNotFit: not even the id does.
    """
    hybrid = any(named.recipient.suite.hybrid for named in recipients)
    for named in () if id_only else recipients:
        form = _form_for(named.recipient, room.total, hybrid)
        if form:
            return _wrap(key, named.recipient, form)
    if room.total < Form.ID_ONLY.value:
        raise DoesNotFit(
            "the key's id does not fit beside the blocks",
            why=f"the drive stores {room.total} bytes of key-associated data",
        )
    return bytes([VERSION, _ID_ONLY]) + key.id.raw


def read_brief(kad: bytes) -> Brief:
    """Read what `join` gave. Zeros behind a form that names its version are a drive's padding."""
    for form, suite in ((Form.X25519, Suite.HPKE_X25519), (Form.AES_KW, Suite.AES_KW), (Form.ID_ONLY, _ID_ONLY)):
        rest = kad[form.value :]
        if kad[:2] == bytes([VERSION, suite]) and len(kad) >= form.value and not any(rest):
            return _parse(form, kad[2 : form.value])
    if len(kad) == Form.TAGGED.value:
        return _parse(Form.TAGGED, kad)
    raise Malformed(
        "this key-associated data is not a brief envelope of tapekey", why=f"{len(kad)} bytes of no form it knows"
    )


def open_brief(brief: Brief, identity: Identity, key_id: KeyId | None = None) -> DataKey:
    """Unwrap the key. `key_id` is for a caller whose record knows the KAD; else it is claimed or derived.

    NotThisKey: made for another recipient. EnvelopeRefused: made for this one, and does not open.
    """
    if brief.form is Form.ID_ONLY:
        raise KeyUnavailable(
            f"the tape names key {brief.key_id} and carries no copy of it",
            why="its rule says carry = id, or there was no room",
            mend="ask the keystore that made it",
        )
    if not brief.names(identity.recipient):
        raise NotThisKey("the brief envelope was made for another recipient")
    try:
        secret = identity.open(brief.wrapped, context(identity.recipient))
    except NotThisKey as refused:
        raise EnvelopeRefused(
            "the brief envelope names this key and does not open with it",
            why="it was changed, or made for a recipient with the same short id",
            mend="use the envelope in the cartridge's memory, or the keystore",
        ) from refused
    return DataKey(key_id or brief.key_id or derived_id(secret), secret)


def lay(brief: bytes, room: KadRoom) -> tuple[bytes, bytes]:
    """Divide a brief envelope into A-KAD and U-KAD, A-KAD first."""
    if len(brief) > room.total:
        raise DoesNotFit("the brief envelope does not fit", why=f"{len(brief)} bytes, room for {room.total}")
    return brief[: room.authenticated], brief[room.authenticated :]


def join(authenticated: bytes, unauthenticated: bytes) -> bytes:
    """Undo `lay`."""
    return authenticated + unauthenticated


def context(recipient: Recipient) -> bytes:
    """What a brief envelope is bound to."""
    return b"tapekey/brief/1" + bytes([recipient.suite]) + recipient.fingerprint


def _form_for(recipient: Recipient, room: int, hybrid: bool) -> Form | None:
    forms: tuple[Form, ...] = ()
    if recipient.suite is Suite.AES_KW:
        forms = (Form.AES_KW, Form.TAGGED)
    elif recipient.suite is Suite.HPKE_X25519 and not hybrid:
        forms = (Form.X25519,)
    return next((form for form in forms if form.value <= room), None)


def _wrap(key: DataKey, recipient: Recipient, form: Form) -> bytes:
    head = b"" if form is Form.TAGGED else bytes([VERSION, recipient.suite])
    locator = recipient.fingerprint[: LOCATOR_SIZE[form]]
    key_id = key.id.raw if form is Form.AES_KW else b""
    return head + locator + key_id + recipient.wrap(key.secret, context(recipient))


def _parse(form: Form, body: bytes) -> Brief:
    locator, rest = body[: LOCATOR_SIZE[form]], body[LOCATOR_SIZE[form] :]
    if form in (Form.AES_KW, Form.ID_ONLY):
        return Brief(form, locator, KeyId(rest[:KEY_ID_SIZE]), rest[KEY_ID_SIZE:])
    return Brief(form, locator, None, rest)

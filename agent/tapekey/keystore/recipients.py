"""Recipients by name: their public halves, and the private halves that are kept here, sealed."""

from collections.abc import Iterator

from tapekey.errors import Conflict, NotFound, Usage
from tapekey.keys import identity, recipient
from tapekey.keys.identity import Identity
from tapekey.keys.recipient import KekRecipient, Named, PublicRecipient, Recipient
from tapekey.keys.suite import Suite
from tapekey.keystore.records import RecipientRecord, Role
from tapekey.keystore.rows import Transaction
from tapekey.keystore.seal import Place, Purpose, damaged

# The shortest part of a fingerprint by which an envelope names a recipient: the tag in an LTO-4 brief envelope.
SHORT_ID = 4
NAME_SIZE = range(1, 65)


def get(transaction: Transaction, name: str) -> RecipientRecord:
    """The recipient of this name; NotFound if there is none."""
    record = next((known for known in every(transaction) if known.name == name), None)
    if record is None:
        raise NotFound(f"no recipient {name}", mend="see: tapekey recipient list")
    return record


def every(transaction: Transaction) -> list[RecipientRecord]:
    """All recipients, in the order of their names."""
    return transaction.every(RecipientRecord)


def add(
    transaction: Transaction, name: str, whose: Recipient | Identity, *, role: Role = Role.NAMED, expires: str = ""
) -> RecipientRecord:
    """Put a recipient on record; with an Identity its private half is kept here too."""
    _demand_name(name)
    held = whose if isinstance(whose, Identity) else None
    public = held.recipient if held else whose
    if isinstance(public, KekRecipient) and held is None:
        held = Identity(public, public.kek)
    form = public.public_form if isinstance(public, PublicRecipient) else b""
    assert not isinstance(public, Identity)
    _demand_free(transaction, name, public.fingerprint)
    sealed = transaction.seal.close(_place(name, 1), Purpose.PRIVATE_KEY, held.secret) if held else b""
    now = transaction.now()
    record = RecipientRecord(name, public.suite, form, public.fingerprint, role, expires, now, 1, sealed)
    transaction.insert(record)
    transaction.note(
        "recipient added",
        recipient=name,
        suite=public.suite.name,
        fingerprint=public.fingerprint.hex(),
        role=role.value,
        private_half_here=int(held is not None),
    )
    return record


def named(transaction: Transaction, name: str) -> Named:
    """A recipient as the envelopes take it."""
    record = get(transaction, name)
    return Named(name, recipient_of(transaction, record))


def recipient_of(transaction: Transaction, record: RecipientRecord) -> Recipient:
    """The public half; for a group KEK, which has none, the KEK itself."""
    if record.suite is Suite.AES_KW:
        return identity_of(transaction, record).recipient
    return recipient.from_public_form(record.public)


def identity_of(transaction: Transaction, record: RecipientRecord) -> Identity:
    """The private half of a recipient that is kept here."""
    if not record.held:
        raise NotFound(
            f"the private key of {record.name} is not in this keystore", mend="ask whoever made the key pair"
        )
    secret = transaction.seal.open(_place(record.name, record.version), Purpose.PRIVATE_KEY, record.sealed)
    found = identity.of_secret(record.suite, secret)
    if found.recipient.fingerprint != record.fingerprint:
        raise damaged("recipients", record.name, "its private key is another recipient's")
    return found


def identities(transaction: Transaction) -> Iterator[Identity]:
    """Every private key that is held here, one at a time."""
    for record in every(transaction):
        if record.held:
            yield identity_of(transaction, record)


def with_role(transaction: Transaction, role: Role) -> RecipientRecord | None:
    """The recipient of a role, or None."""
    return next((record for record in every(transaction) if record.role is role), None)


def _demand_name(name: str) -> None:
    if len(name) not in NAME_SIZE or not name.isprintable() or any(char in ", \t/" for char in name):
        raise Usage(
            f"{ascii(name)[:80]} cannot name a recipient", why="1 to 64 characters, without space, comma or slash"
        )


def _demand_free(transaction: Transaction, name: str, fingerprint: bytes) -> None:
    for record in every(transaction):
        if record.name == name:
            raise Conflict(f"there is a recipient {name} already", mend="choose another name")
        if record.fingerprint == fingerprint:
            raise Conflict(f"the key of {name} is on record already", why=f"as recipient {record.name}")
        if record.fingerprint[:SHORT_ID] == fingerprint[:SHORT_ID]:
            raise Conflict(
                f"the key of {name} cannot be told from that of {record.name}",
                why=f"the first {SHORT_ID} bytes of their fingerprints are the same",
                mend="make another key",
            )


def _place(name: str, version: int) -> Place:
    return Place("recipients", name.encode(), version)

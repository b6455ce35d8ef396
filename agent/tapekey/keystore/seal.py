"""What seals secrets and authenticates rows, all derived from the root key.

A secret is sealed as AES-KWP(K, SHA-256(context) ‖ secret), RFC 5649, with K = HKDF-SHA256(root key, purpose).
The context names store, table, record, version and purpose: no nonce can repeat after a snapshot, and no sealed
value can be moved to another row. A row's tag is HMAC-SHA256 over the canonical CBOR of all its columns.
"""

import hashlib
import hmac
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from tapekey.errors import Malformed, NotThisKey, StoreDamaged
from tapekey.keys import keywrap
from tapekey.secret import Secret

Value = int | str | bytes | None

DIGEST_SIZE = 32
INFO = b"tapekey/store/1/"


class Purpose(StrEnum):
    """What a derived key is for; one key is never used for two purposes."""

    DATA_KEY = "data key"
    PRIVATE_KEY = "private key"
    MANAGER_KEY = "manager key"
    ROWS = "rows"
    SETS = "sets"
    SLOTS = "slots"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a sealed value stands."""

    table: str
    record: bytes
    version: int


def derive(root: Secret, info: bytes, salt: bytes = b"") -> Secret:
    """HKDF-SHA256 to 32 bytes (RFC 5869)."""
    return Secret(HKDF(hashes.SHA256(), 32, salt or None, info).derive(root.reveal()))


def wrap(key: Secret, context: bytes, secret: Secret) -> bytes:
    """AES-KWP of SHA-256(context) ‖ secret."""
    with Secret.joined((hashlib.sha256(context).digest(), secret)) as whole:
        return keywrap.wrap_padded(key, whole)


def unwrap(key: Secret, context: bytes, wrapped: bytes) -> Secret:
    """The secret of `wrap`. NotThisKey: another key, or altered bytes; StoreDamaged: it belongs elsewhere."""
    try:
        whole = keywrap.unwrap_padded(key, wrapped)
    except Malformed as error:
        raise NotThisKey("the wrapped secret does not open", why=error.why) from error
    with whole:
        if not hmac.compare_digest(whole.reveal()[:DIGEST_SIZE], hashlib.sha256(context).digest()):
            raise StoreDamaged("a sealed secret stands in the wrong place", why="its context does not match")
        return Secret(whole.reveal()[DIGEST_SIZE:])


@dataclass(frozen=True, slots=True)
class Seal:
    """The root key at work in one store: one derived key for each purpose."""

    store_id: bytes
    keys: Mapping[Purpose, Secret] = field(repr=False)

    def wipe(self) -> None:
        """Forget the keys: nothing can be read or written with this seal any more."""
        for key in self.keys.values():
            key.wipe()

    def _context(self, place: Place, purpose: Purpose) -> bytes:
        return cbor2.dumps([self.store_id, place.table, place.record, place.version, purpose.value], canonical=True)

    def close(self, place: Place, purpose: Purpose, secret: Secret) -> bytes:
        """Seal a secret for its one place."""
        return wrap(self.keys[purpose], self._context(place, purpose), secret)

    def open(self, place: Place, purpose: Purpose, sealed: bytes) -> Secret:
        """Unseal, or say that the record is damaged."""
        try:
            return unwrap(self.keys[purpose], self._context(place, purpose), sealed)
        except (NotThisKey, StoreDamaged) as error:
            raise damaged(place.table, place.record, "its sealed secret does not open") from error

    def tag(self, table: str, values: Sequence[Value]) -> bytes:
        """Authenticate a row: all columns but the tag, in the table's order."""
        row = cbor2.dumps([self.store_id, table, list(values)], canonical=True)
        return self._hmac(Purpose.ROWS, row)

    def share(self, tag: bytes) -> int:
        """A row's part in the digest of its table's set of rows; not to be guessed from the tag."""
        return self.shares([tag])

    def shares(self, tags: Iterable[bytes]) -> int:
        """The shares of these rows together."""
        key = self.keys[Purpose.SETS].reveal()
        return sum(int.from_bytes(hmac.digest(key, tag, "sha256")) for tag in tags)

    def slots_tag(self, slots: Sequence[Sequence[Value]]) -> bytes:
        """Authenticate the whole slot table."""
        table = cbor2.dumps([self.store_id, [list(slot) for slot in slots]], canonical=True)
        return self._hmac(Purpose.SLOTS, table)

    def _hmac(self, purpose: Purpose, message: bytes) -> bytes:
        return hmac.digest(self.keys[purpose].reveal(), message, "sha256")


def of_root(root: Secret, store_id: bytes) -> Seal:
    """Derive the keys of a store from its root key."""
    return Seal(store_id, {purpose: derive(root, INFO + purpose.encode(), store_id) for purpose in Purpose})


def damaged(table: str, record: object, why: str) -> StoreDamaged:
    """The error for one row, named so that an operator finds it."""
    name = record.hex() if isinstance(record, bytes) else ascii(record)[:80]
    return StoreDamaged(
        f"the keystore's {table} record {name} is damaged",
        why=why,
        mend="restore the keystore from a backup; until then the cartridge's own envelope and a private key restore it",
    )

"""Private keys as files: PKCS#8 for what has it, our own labels for the rest and for what a passphrase seals.

Under a passphrase every kind is sealed alike, with Argon2id and AES-KWP: the library's encrypted PKCS#8 has 2,048
rounds of PBKDF2, too few for a key that opens an archive. Files of other makers' encrypted PKCS#8 are read.
`docs/formats/envelope.md` specifies the forms.
"""

import hashlib
import hmac
import secrets
import struct
from dataclasses import dataclass

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from tapekey.errors import Malformed, NotThisKey
from tapekey.keys import armour, identity, keywrap
from tapekey.keys.hybrid import SEED_SIZE
from tapekey.keys.identity import Identity
from tapekey.keys.recipient import KEK_SIZE
from tapekey.keys.suite import Suite
from tapekey.secret import Secret

PKCS8 = "PRIVATE KEY"
HYBRID = "TAPEKEY HYBRID PRIVATE KEY"
KEK = "TAPEKEY GROUP KEK"
SEALED = "TAPEKEY SEALED PRIVATE KEY"
VERSION = 1
_DIGEST = 32
# version, suite, memory in KiB, iterations, lanes, salt
_SEAL_HEAD = struct.Struct(">BBIBB16s")


@dataclass(frozen=True, slots=True)
class Cost:
    """Argon2id's cost. The default takes about a second and 256 MiB."""

    memory_kib: int = 256 * 1024
    iterations: int = 3
    lanes: int = 4


DEAREST = Cost(memory_kib=1024 * 1024, iterations=16, lanes=16)  # a file that asks for more is an attack


def dump(private: Identity, passphrase: Secret | None = None, cost: Cost = Cost()) -> Secret:
    """Write a private key as text, sealed if a passphrase is given."""
    if passphrase is not None:
        return _seal(private, passphrase, cost)
    if private.suite is Suite.AES_KW:
        return _armoured(KEK, (bytes([VERSION]), private.secret))
    if private.suite.hybrid:
        return _armoured(HYBRID, (bytes([VERSION, private.suite]), private.secret))
    return _armoured(PKCS8, (private.secret,))


def load(text: bytes, passphrase: Secret | None = None) -> Identity:
    """Read a private key. NotThisKey: it is sealed, and the passphrase is missing or another."""
    label = armour.label_of(text)
    if label == SEALED:
        return _unseal(armour.load(SEALED, text), passphrase)
    if label == KEK:
        return identity.of_secret(Suite.AES_KW, _after_head(KEK, text, 1, KEK_SIZE))
    if label == HYBRID:
        return identity.of_secret(_hybrid_suite(armour.load(HYBRID, text)), _after_head(HYBRID, text, 2, SEED_SIZE))
    return _load_pem(text, passphrase)


def _armoured(label: str, parts: tuple[bytes | Secret, ...]) -> Secret:
    with Secret.joined(parts) as body:
        return Secret(armour.dump(label, body.reveal()))


def _after_head(label: str, text: bytes, head: int, size: int) -> Secret:
    body = armour.load(label, text)
    if len(body) != head + size or body[0] != VERSION:
        raise Malformed(
            f"the {label} file is not as it should be",
            why=f"it must be of version {VERSION} and hold exactly {size} bytes",
            mend="use the original file",
        )
    return Secret.taken_from(body[head:])


def _hybrid_suite(body: bytearray) -> Suite:
    for suite in identity.HYBRIDS.values():
        if body[1:2] == bytes([suite]):
            return suite
    raise Malformed("the hybrid private key is of no kind that is known here")


def _load_pem(text: bytes, passphrase: Secret | None) -> Identity:
    sealed = "ENCRYPTED" in armour.label_of(text) or b"\nProc-Type: 4,ENCRYPTED" in text
    password = bytes(passphrase.reveal()) if sealed and passphrase is not None else None
    try:
        return identity.of_private_key(load_pem_private_key(text, password))
    except TypeError as error:
        raise _sealed_still("no passphrase was given") from error
    except UnsupportedAlgorithm as error:
        raise Malformed("this private key file cannot be read", why=str(error).lower().rstrip(".")) from error
    except ValueError as error:
        if password is not None:
            raise _sealed_still("the passphrase is another, or the file is damaged") from error
        raise Malformed("this is not a private key file", mend="give a PEM file with a private key") from error


def _seal(private: Identity, passphrase: Secret, cost: Cost) -> Secret:
    head = _SEAL_HEAD.pack(
        VERSION, private.suite, cost.memory_kib, cost.iterations, cost.lanes, secrets.token_bytes(16)
    )
    with _stretched(passphrase, head) as key, Secret.joined((hashlib.sha256(head).digest(), private.secret)) as plain:
        return Secret(armour.dump(SEALED, head + keywrap.wrap_padded(key, plain)))


def _unseal(body: bytearray, passphrase: Secret | None) -> Identity:
    if passphrase is None:
        raise _sealed_still("no passphrase was given")
    head, wrapped = bytes(body[: _SEAL_HEAD.size]), bytes(body[_SEAL_HEAD.size :])
    suite = _checked_head(head)
    try:
        with _stretched(passphrase, head) as key:
            plain = keywrap.unwrap_padded(key, wrapped)
    except NotThisKey as refused:
        raise _sealed_still("the passphrase is another, or the file is damaged") from refused
    view = plain.reveal()
    if not hmac.compare_digest(view[:_DIGEST], hashlib.sha256(head).digest()):
        raise Malformed("the sealed private key file is damaged", why="its head was changed")
    return identity.of_secret(suite, Secret(view[_DIGEST:]))


def _checked_head(head: bytes) -> Suite:
    if len(head) != _SEAL_HEAD.size or head[0] != VERSION:
        raise Malformed("the sealed private key file cannot be read", why="it is cut short, or of a newer version")
    _, suite, memory, iterations, lanes, _ = _SEAL_HEAD.unpack(head)
    dear = memory > DEAREST.memory_kib or iterations > DEAREST.iterations or lanes > DEAREST.lanes
    if dear or not iterations or not lanes or memory < 8 * lanes:
        raise Malformed("the sealed private key file is refused", why="it asks for an unreasonable Argon2id cost")
    try:
        return Suite(suite)
    except ValueError as error:
        raise Malformed("the sealed private key is of no kind that is known here") from error


def _stretched(passphrase: Secret, head: bytes) -> Secret:
    _, _, memory, iterations, lanes, salt = _SEAL_HEAD.unpack(head)
    argon = Argon2id(salt=salt, length=32, iterations=iterations, lanes=lanes, memory_cost=memory)
    # The library takes `bytes` only: one copy of the passphrase stays in freed memory.
    return Secret(argon.derive(bytes(passphrase.reveal())))


def _sealed_still(why: str) -> NotThisKey:
    return NotThisKey("the private key file does not open", why=why, mend="give the passphrase it was sealed with")

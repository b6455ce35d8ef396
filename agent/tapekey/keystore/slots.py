"""Slots of the root key: each holds the same 32 random bytes, wrapped for one way of opening the store.

A slot's kind is stored as text and its parameters as CBOR, so that more kinds (token, recipients, shares) find
room; a kind that this version does not know is kept, authenticated and passed over. What a slot derives its
wrapping key from never leaves this module.
"""

import os
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cbor2
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from tapekey.errors import Malformed, NotThisKey, StoreDamaged, StoreFailed, StoreLocked, Usage
from tapekey.keystore import seal
from tapekey.secret import Secret

ROOT_SIZE: Final = 32
KEY_FILE_SIZE: Final = 32
SALT_SIZE: Final = 16

BY_PASSPHRASE: Final = "passphrase"  # noqa: S105  (a slot's kind)
BY_FILE: Final = "file"


@dataclass(frozen=True, slots=True)
class Cost:
    """Argon2id (RFC 9106): memory in KiB, passes, lanes. The default takes about a second."""

    memory: int = 256 * 1024
    passes: int = 3
    lanes: int = 4


# What is accepted from a file: a bad store must not be able to take the machine's memory or hours of its time.
MOST: Final = Cost(memory=1024 * 1024, passes=64, lanes=64)


@dataclass(frozen=True, slots=True)
class Passphrase:
    """Something that people remember. `cost` is used when a slot is made; a slot knows its own."""

    secret: Secret
    cost: Cost = Cost()


@dataclass(frozen=True, slots=True)
class KeyFile:
    """A file of exactly 32 random bytes that nobody else may read.

    systemd gives a service's credentials to its user by an ACL, which shows as group bits; their directory is private.
    """

    path: Path
    from_systemd: bool = False


Opener = Passphrase | KeyFile


@dataclass(frozen=True, slots=True)
class Slot:
    """One row of the slot table."""

    id: int
    kind: str
    label: str
    parameters: bytes
    wrapped: bytes

    def columns(self) -> tuple[int, str, str, bytes, bytes]:
        return self.id, self.kind, self.label, self.parameters, self.wrapped


def credential(name: str, environ: Mapping[str, str]) -> KeyFile:
    """The key file that systemd passed under this name ($CREDENTIALS_DIRECTORY)."""
    directory = environ.get("CREDENTIALS_DIRECTORY")
    if not directory:
        raise Usage(
            f"no credential {name}", why="$CREDENTIALS_DIRECTORY is not set", mend="set LoadCredential= in the unit"
        )
    return KeyFile(Path(directory) / name, from_systemd=True)


def make(number: int, opener: Opener, root: Secret, store_id: bytes) -> Slot:
    """Wrap the root key for one opener."""
    kind, label, parameters = _describe(opener)
    key = _wrapping_key(opener, parameters)
    wrapped = seal.wrap(key, _context(store_id, number, kind, parameters), root)
    return Slot(number, kind, label, parameters, wrapped)


def unlock(slots: Sequence[Slot], openers: Sequence[Opener], store_id: bytes) -> Secret:
    """The root key from the first slot that one of the openers fits. StoreLocked: none does."""
    for opener in openers:
        for slot in slots:
            if slot.kind != _kind(opener):
                continue
            key = _wrapping_key(opener, slot.parameters)
            try:
                return seal.unwrap(key, _context(store_id, slot.id, slot.kind, slot.parameters), slot.wrapped)
            except NotThisKey:
                continue
    kinds = ", ".join(sorted({slot.kind for slot in slots})) or "none"
    raise StoreLocked(
        "the keystore stays locked",
        why="no slot opens with what was given" if openers else "nothing was given to open it with",
        mend=f"give the passphrase or key file of a slot (slots: {kinds})",
    )


def _kind(opener: Opener) -> str:
    return BY_PASSPHRASE if isinstance(opener, Passphrase) else BY_FILE


def _describe(opener: Opener) -> tuple[str, str, bytes]:
    if isinstance(opener, KeyFile):
        return BY_FILE, opener.path.name[:64], cbor2.dumps({}, canonical=True)
    cost = opener.cost
    parameters = {"salt": os.urandom(SALT_SIZE), "memory": cost.memory, "passes": cost.passes, "lanes": cost.lanes}
    return BY_PASSPHRASE, "", cbor2.dumps(parameters, canonical=True)


def _context(store_id: bytes, number: int, kind: str, parameters: bytes) -> bytes:
    return cbor2.dumps(["tapekey/slot/1", store_id, number, kind, parameters], canonical=True)


def _wrapping_key(opener: Opener, parameters: bytes) -> Secret:
    if isinstance(opener, KeyFile):
        with read_key_file(opener) as content:
            return seal.derive(content, b"tapekey/slot/1/file")
    if not opener.secret:
        raise Usage("the passphrase is empty", mend="give a passphrase")
    salt, cost = decode_cost(parameters)
    derivation = Argon2id(salt=salt, length=32, iterations=cost.passes, lanes=cost.lanes, memory_cost=cost.memory)
    try:
        return Secret(derivation.derive(bytes(opener.secret.reveal())))
    except (MemoryError, UnsupportedAlgorithm) as error:
        raise StoreFailed(
            "the passphrase cannot be stretched", why=f"Argon2id needs {cost.memory // 1024} MiB of memory"
        ) from error


def decode_cost(parameters: bytes) -> tuple[bytes, Cost]:
    """Salt and cost of a passphrase slot, never more than MOST. They are not yet authenticated here."""
    try:
        fields = cbor2.loads(parameters)
        salt, numbers = fields["salt"], tuple(fields[name] for name in ("memory", "passes", "lanes"))
    except (cbor2.CBORDecodeError, LookupError, TypeError, ValueError, RecursionError) as error:
        raise _bad_slot("its parameters do not decode") from error
    if not isinstance(salt, bytes) or len(salt) < SALT_SIZE or any(type(number) is not int for number in numbers):
        raise _bad_slot("its parameters have the wrong types")
    cost = Cost(*numbers)
    if not (8 * cost.lanes <= cost.memory <= MOST.memory and 1 <= cost.passes <= MOST.passes):
        raise _bad_slot(f"its cost is out of bounds: {cost.memory} KiB, {cost.passes} passes")
    if not 1 <= cost.lanes <= MOST.lanes:
        raise _bad_slot(f"its cost is out of bounds: {cost.lanes} lanes")
    return salt, cost


def _bad_slot(why: str) -> StoreDamaged:
    return StoreDamaged("a passphrase slot of the keystore is damaged", why=why, mend="restore it from a backup")


def read_key_file(file: KeyFile) -> Secret:
    """Exactly 32 bytes from a regular file that only its owner may read."""
    try:
        descriptor = os.open(file.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOCTTY | os.O_NONBLOCK)
        try:
            _demand_private(file, os.fstat(descriptor))
            content = bytearray(os.read(descriptor, KEY_FILE_SIZE + 1))
        finally:
            os.close(descriptor)
    except OSError as error:
        raise StoreLocked(f"cannot read the key file {file.path}", why=error.strerror or str(error)) from error
    if len(content) != KEY_FILE_SIZE:
        content[:] = bytes(len(content))
        raise Malformed(f"the key file {file.path} is not a key", why=f"it must have exactly {KEY_FILE_SIZE} bytes")
    return Secret.taken_from(content)


def _demand_private(file: KeyFile, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise StoreLocked(f"the key file {file.path} is refused", why="it is not a regular file")
    if stat.S_IMODE(status.st_mode) & (0o007 if file.from_systemd else 0o077):
        raise StoreLocked(
            f"the key file {file.path} is refused", why="others may read it", mend=f"chmod 600 {file.path}"
        )

"""The private keys of the published vectors, as identities and as recipients."""

import json
from functools import cache
from pathlib import Path

from tapekey.keys import identity_file
from tapekey.keys.data_key import DataKey, KeyId
from tapekey.keys.envelope import Binding
from tapekey.keys.identity import Identity
from tapekey.keys.recipient import Named
from tapekey.secret import Secret

VECTORS = Path(__file__).parents[1] / "vectors" / "envelope"
SUITES = ("rsa-3072", "x25519", "p256", "p384", "mlkem768-x25519", "mlkem1024-p384", "kek")
SERIAL = "1234567890"
KEY = DataKey(KeyId(bytes(range(0x10, 0x20))), Secret(bytes(range(0xA0, 0xC0))))
BINDING = Binding(KEY.id, SERIAL, bytes(range(0x70, 0x80)), 7, "ENC001L6")


@cache
def entry(name: str) -> dict[str, str]:
    entries: dict[str, dict[str, str]] = json.loads((VECTORS / "keys.json").read_text())["keys"]
    return entries[name]


@cache
def person(name: str) -> Identity:
    """Load an identity by the name that the vectors use."""
    found = entry(name)
    passphrase = Secret(found["passphrase"].encode()) if "passphrase" in found else None
    return identity_file.load(found["private"].encode(), passphrase)


def named(*names: str) -> tuple[Named, ...]:
    return tuple(Named(name, person(name).recipient) for name in names)

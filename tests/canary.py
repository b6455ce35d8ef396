"""The forms in which a secret could leave: raw or encoded, whole or in halves; and the search for all of them."""

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

HALF = 16  # bytes: a half that is shorter says too little to be looked for
_SWAP = bytes.maketrans(b"+/", b"-_")


@dataclass(frozen=True, slots=True)
class Hit:
    """A secret that was found: where, which one, and in what form. It does not tell the secret."""

    where: str
    secret: str
    form: str


def search(texts: Mapping[str, bytes], secrets: Mapping[str, bytes]) -> list[Hit]:
    """Look for every form of every secret in every text; also across the line ends of PEM and of hex dumps."""
    wanted = [(name, form, image) for name, secret in secrets.items() for form, image in forms(secret).items()]
    hits = []
    for where, text in texts.items():
        joined = b"".join(text.split()) if text.isascii() else b""
        hits += [Hit(where, name, form) for name, form, image in wanted if image in text or image in joined]
    return hits


def forms(secret: bytes) -> dict[str, bytes]:
    """Every form of a secret, and of its halves if they are long enough to be told from chance."""
    found = dict(_encoded(secret))
    if len(secret) >= 2 * HALF:
        middle = len(secret) // 2
        for name, part in (("first half", secret[:middle]), ("second half", secret[middle:])):
            found |= {f"{name}, {form}": image for form, image in _encoded(part)}
    return found


def _encoded(secret: bytes) -> Iterator[tuple[str, bytes]]:
    yield "raw", secret
    yield "reversed", secret[::-1]
    for name, order in (("hex", secret), ("reversed hex", secret[::-1])):
        yield name, order.hex().encode()
        yield f"{name}, capitals", order.hex().upper().encode()
    for between in (":", " "):
        yield f"hex with {between!r}", secret.hex(between).encode()
    for offset in range(3):
        text = _inner(base64.b64encode(bytes(offset) + secret + bytes(2)), offset, len(secret), 6)
        yield f"base64 at {offset}", text
        yield f"base64url at {offset}", text.translate(_SWAP)
    for offset in range(5):
        text = _inner(base64.b32encode(bytes(offset) + secret + bytes(4)), offset, len(secret), 5)
        yield f"base32 at {offset}", text
        yield f"base32 at {offset}, small", text.lower()
    yield "decimal", str(int.from_bytes(secret)).encode()
    yield "decimal, little-endian", str(int.from_bytes(secret, "little")).encode()
    yield "list", ", ".join(map(str, secret)).encode()
    yield "list without spaces", ",".join(map(str, secret)).encode()
    yield "repr", repr(secret)[2:-1].encode()
    yield "repr, every byte", "".join(f"\\x{byte:02x}" for byte in secret).encode()
    yield "JSON", json.dumps(secret.decode("latin-1"))[1:-1].encode()
    yield "UTF-8 of Latin-1", secret.decode("latin-1").encode()


def _inner(text: bytes, offset: int, size: int, bits: int) -> bytes:
    """Those characters that no byte before or behind the secret has a part in."""
    return text[-(-offset * 8 // bits) : (offset + size) * 8 // bits]

"""CHAP (RFC 1994; RFC 7143, 12.1.3): a response is a hash over identifier, secret and challenge."""

import hashlib
import hmac
from collections.abc import Callable, Mapping
from typing import Final

from tapekey.wire.codes import Code

CHALLENGE: Final = 32  # bytes of ours
LONGEST_CHALLENGE: Final = 1024  # bytes that the RFC allows


class Algorithm(Code):
    """IANA's PPP authentication algorithms that iSCSI has."""

    MD5 = 5
    SHA_256 = 7
    SHA3_256 = 8


def _md5(data: bytes) -> bytes:
    return hashlib.md5(data, usedforsecurity=False).digest()


# strongest first; MD5 is the one that every implementation must have (12.1.3)
HASHES: Final[Mapping[Algorithm, Callable[[bytes], bytes]]] = {
    Algorithm.SHA3_256: lambda data: hashlib.sha3_256(data).digest(),
    Algorithm.SHA_256: lambda data: hashlib.sha256(data).digest(),
    Algorithm.MD5: _md5,
}
OFFER: Final = ",".join(str(int(algorithm)) for algorithm in HASHES)


def choose(offered: str) -> Algorithm | None:
    """The strongest of the algorithms in a CHAP_A list; None if we have none of them."""
    values = offered.split(",")
    return next((algorithm for algorithm in HASHES if str(int(algorithm)) in values), None)


def respond(algorithm: Algorithm, identifier: int, secret: bytes, challenge: bytes) -> bytes:
    """The response that proves knowledge of the secret."""
    return HASHES[algorithm](bytes([identifier]) + secret + challenge)


def proves(response: bytes, algorithm: Algorithm, identifier: int, secret: bytes, challenge: bytes) -> bool:
    """Whether a response is right, in time that does not depend on how far it is."""
    return hmac.compare_digest(response, respond(algorithm, identifier, secret, challenge))


def same(one: bytes, other: bytes) -> bool:
    """Whether two secrets are one: then a peer could have us answer its own question (12.1.3)."""
    return hmac.compare_digest(one, other)

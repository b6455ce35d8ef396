"""CHAP responses: worked out with coreutils from identifier, secret and challenge, and by OpenSSL for SHA3."""

import pytest

from tapekey.iscsi import chap
from tapekey.iscsi.chap import Algorithm

# printf '\x27secret-of-16-byt\x00\x01\x02\x03\x04\x05\x06\x07' | md5sum, sha256sum, openssl dgst -sha3-256
SECRET, IDENTIFIER, CHALLENGE = b"secret-of-16-byt", 0x27, bytes(range(8))
RESPONSES = {
    Algorithm.MD5: "0e486e208936033f2c2f42e546e95090",
    Algorithm.SHA_256: "32219878204fcf8a1c35e71cb836046d297e4fde2d35dadc7d5bea0cf8efd512",
    Algorithm.SHA3_256: "0523f1a9c991ffc4b69e189882be72f072150f36be65f695a305cfc2d99baab4",
}


@pytest.mark.parametrize(("algorithm", "expected"), RESPONSES.items(), ids=[item.name for item in RESPONSES])
def test_response_is_the_hash_of_identifier_secret_and_challenge(algorithm: Algorithm, expected: str) -> None:
    response = bytes.fromhex(expected)
    assert chap.respond(algorithm, IDENTIFIER, SECRET, CHALLENGE) == response
    assert chap.proves(response, algorithm, IDENTIFIER, SECRET, CHALLENGE)


@pytest.mark.parametrize("algorithm", list(Algorithm), ids=[item.name for item in Algorithm])
def test_nothing_else_proves(algorithm: Algorithm) -> None:
    right = chap.respond(algorithm, IDENTIFIER, SECRET, CHALLENGE)
    wrong = [right[:-1], right + b"\0", b"", right[:-1] + bytes([right[-1] ^ 1])]
    assert not any(chap.proves(response, algorithm, IDENTIFIER, SECRET, CHALLENGE) for response in wrong)
    assert not chap.proves(right, algorithm, IDENTIFIER + 1, SECRET, CHALLENGE)
    assert not chap.proves(right, algorithm, IDENTIFIER, SECRET + b"x", CHALLENGE)
    assert not chap.proves(right, algorithm, IDENTIFIER, SECRET, CHALLENGE + b"x")


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [
        ("5", Algorithm.MD5),
        ("5,7", Algorithm.SHA_256),
        ("5,6,7,8", Algorithm.SHA3_256),
        ("8,5", Algorithm.SHA3_256),
        ("6", None),
        ("", None),
        ("0x5", None),
        ("55", None),
    ],
)
def test_strongest_algorithm_is_chosen(offered: str, chosen: Algorithm | None) -> None:
    assert chap.choose(offered) is chosen


def test_strongest_algorithm_is_offered_first() -> None:
    assert chap.OFFER == "8,7,5"

"""AES key wrap: one key against `cryptography`, a whole store against its loop and against bare AES."""

import os

from cryptography.hazmat.primitives import keywrap as pyca
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from tapekey.keys import kek
from tapekey.secret import Secret
from tests.benchmarks.figures import ROUNDS, Figures, paired

SINGLE = 20_000
MANY = 100_000
BLOCKS = 2 * 6 * 4  # AES blocks of unwrapping and wrapping one 32-byte key


def wrap_one() -> Figures:
    outer, key = Secret(os.urandom(32)), Secret(os.urandom(32))
    outer_bytes, key_bytes = bytes(outer.reveal()), bytes(key.reveal())
    with kek.opened(outer) as opened:
        wrap, peer = opened.wrap, pyca.aes_key_wrap

        def ours() -> None:
            for _ in range(SINGLE):
                wrap(key)

        def theirs() -> None:
            for _ in range(SINGLE):
                peer(outer_bytes, key_bytes)

        ratio = paired(ours, theirs)
    return {"keywrap_one": {"ratio": ratio, "unit": "x", "against": "cryptography aes_key_wrap", "rounds": ROUNDS}}


def rewrap_many() -> Figures:
    old, new = Secret(os.urandom(32)), Secret(os.urandom(32))
    old_bytes, new_bytes = bytes(old.reveal()), bytes(new.reveal())
    encryptor = Cipher(algorithms.AES(new_bytes), modes.ECB()).encryptor()  # noqa: S305 (the limit, not a use)
    blocks = bytearray(16 * MANY)
    with kek.opened(old) as before, kek.opened(new) as after:
        wrapped = before.wrap_all(Secret(os.urandom(32 * MANY)), 32)

        def ours() -> None:
            before.rewrap_all(after, wrapped, 40)

        def theirs() -> None:
            for at in range(0, len(wrapped), 40):
                pyca.aes_key_wrap(new_bytes, pyca.aes_key_unwrap(old_bytes, wrapped[at : at + 40]))

        def limit() -> None:
            for _ in range(BLOCKS):
                encryptor.update_into(blocks, bytearray(16 * MANY + 15))

        against_peer = paired(ours, theirs, 5)
        against_limit = paired(ours, limit, 5)
    return {
        "keywrap_rewrap_100k": {"ratio": against_peer, "unit": "x", "against": "a loop of cryptography", "rounds": 5},
        "keywrap_vs_limit": {
            "ratio": against_limit,
            "unit": "x",
            "against": "as many AES blocks by bare ECB calls",
            "rounds": 5,
        },
    }

"""Encryption of blocks, checked against `cryptography` used directly with associated data worked out by hand."""

import random
import shutil
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESCCM, AESGCM

from tapekey.errors import NotThisKey
from tapekey.secret import Secret
from tapekey.target import cipher
from tapekey.target.cipher import CCM, CCM_ESP, GCM, Cipher
from tapekey.target.medium_record import Block, Kind, Seal
from tests.octets import octets
from tests.target.tapes import KEY, contents, held, made, put_sealed

DATA = b"the quick brown fox" * 3
SEAL = Seal(GCM, bytes(range(12)), 1, b"name", b"AUTH")
BLOCK = Block(57, 0, SEAL)
BOUND = octets("""
    74 61 70 65 6B 65 79 20 62 6C 6F 63 6B 20 31  # "tapekey block 1"
    00 01 00 14                                   # AES-256-GCM
    00 01                                         # not compressed; KAD format: binary name
    00 00 00 39 00 00 00 39                       # length, length of the ciphertext
    04 41 55 54 48                                # A-KAD
""")


def sealed(algorithm: int = GCM, key: bytes = KEY) -> tuple[Block, bytes]:
    block, stored = Cipher.keyed(algorithm, Secret(key)).seal(Block(57), SEAL, DATA, bytearray(200))
    return block, bytes(stored)


def test_associated_data_is_as_documented() -> None:
    assert cipher.bound(BLOCK, 57) == BOUND


@pytest.mark.parametrize(("algorithm", "aead"), [(GCM, AESGCM), (CCM, AESCCM), (CCM_ESP, AESCCM)])
def test_another_implementation_opens_a_block(algorithm: int, aead: type[AESGCM] | type[AESCCM]) -> None:
    block, stored = sealed(algorithm)
    assert block.seal is not None
    bound = BOUND.replace(bytes.fromhex("00010014"), algorithm.to_bytes(4, "big"))

    assert aead(KEY).decrypt(block.seal.iv, stored, bound) == DATA
    assert len(stored) == len(DATA) + 16


def test_block_that_another_implementation_sealed_is_opened() -> None:
    stored = AESGCM(KEY).encrypt(SEAL.iv, DATA, BOUND)
    assert Cipher.keyed(GCM, Secret(KEY)).open(BLOCK, stored, bytearray(100)) == DATA


WRONG = {
    "another key": (BLOCK, bytes(32)),
    "length": (BLOCK._replace(length=58), KEY),
    "compression": (BLOCK._replace(compression=1), KEY),
    "A-KAD": (BLOCK._replace(seal=SEAL._replace(authenticated=b"AUTI")), KEY),
    "KAD format": (BLOCK._replace(seal=SEAL._replace(kad_format=2)), KEY),
    "IV": (BLOCK._replace(seal=SEAL._replace(iv=bytes(12))), KEY),
    "algorithm": (BLOCK._replace(seal=SEAL._replace(algorithm=CCM)), KEY),
}


@pytest.mark.parametrize(("block", "key"), WRONG.values(), ids=WRONG)
def test_what_is_bound_cannot_be_swapped_and_nothing_clear_is_left_behind(block: Block, key: bytes) -> None:
    out = bytearray(b"#" * 100)
    with pytest.raises(NotThisKey):
        Cipher.keyed(GCM, Secret(key)).open(block, AESGCM(KEY).encrypt(SEAL.iv, DATA, BOUND), out)
    assert DATA[:8] not in out


NOT_BOUND = {
    "U-KAD, which the standard calls unauthenticated": SEAL._replace(unauthenticated=b"other"),
    "EXTERNAL": SEAL._replace(external=True, metadata=b"m"),
    "raw read": SEAL._replace(raw_read_disabled=True),
}


@pytest.mark.parametrize("seal", NOT_BOUND.values(), ids=NOT_BOUND)
def test_what_a_raw_copy_may_change_is_not_bound(seal: Seal) -> None:
    stored = AESGCM(KEY).encrypt(SEAL.iv, DATA, BOUND)
    assert Cipher.keyed(GCM, Secret(KEY)).open(BLOCK._replace(seal=seal), stored, bytearray(100)) == DATA


@pytest.mark.parametrize("algorithm", [GCM, CCM])
def test_a_cipher_does_not_fall_back_to_zeroes_when_its_secret_is_wiped(algorithm: int) -> None:
    secret = Secret(KEY)
    shut = Cipher.keyed(algorithm, secret)
    secret.wipe()
    block, stored = shut.seal(Block(57), SEAL, DATA, bytearray(200))

    assert Cipher.keyed(algorithm, Secret(KEY)).open(block, stored, bytearray(100)) == DATA


@pytest.mark.parametrize("algorithm", [GCM, CCM, CCM_ESP])
@pytest.mark.parametrize("size", [1, 15, 16, 17, 4096, 65_536, 262_144, 1_000_003])
def test_like_blocks_are_sealed_in_place_as_apart(algorithm: int, size: int) -> None:
    keyed, data = Cipher.keyed(algorithm, Secret(KEY)), random.Random(size).randbytes(size)
    sealed, stored = keyed.seal(Block(size), Seal(0, bytes(12), authenticated=b"what"), data, bytearray(size + 16))
    assert sealed.seal is not None
    associated = cipher.bound(sealed, size)

    room = memoryview(bytearray(size + 16))
    room[:size] = data
    keyed.seal_like(sealed.seal.iv, room[:size], associated, room)
    assert bytes(room) == bytes(stored)

    assert keyed.opens_like(sealed.seal.iv, room, associated, room[:size])
    assert bytes(room[:size]) == data

    room[:] = stored
    room[size // 2] ^= 1
    assert not keyed.opens_like(sealed.seal.iv, room, associated, room[:size])
    assert bytes(room[:size]) == bytes(size)


def test_key_of_another_length_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="31 bytes"):
        Cipher.keyed(GCM, Secret(bytes(31)))


def test_no_iv_is_used_twice_over_rewriting_and_copied_cartridges(tmp_path: Path) -> None:
    place = made(tmp_path)
    seen: list[bytes] = []

    def write(at: Path) -> None:
        with held(at) as taken:
            for _ in range(20):
                block = put_sealed(taken.tape, DATA)
                assert block.seal is not None
                seen.append(block.seal.iv)
                if len(seen) % 3 == 0:
                    taken.tape.rewind()
            taken.unload()

    write(place)
    for number in range(4):
        shutil.copytree(place, tmp_path / f"copy{number}")
        write(tmp_path / f"copy{number}")
    write(place)

    assert len(set(seen)) == len(seen) == 120


def test_neither_key_nor_a_clear_byte_of_an_encrypted_block_is_on_disk(tmp_path: Path) -> None:
    place, key = made(tmp_path), bytes(range(0x80, 0xA0))
    clear = b"".join(b"CANARY %08d" % number for number in range(4000))
    with held(place) as taken:
        for _ in range(5):
            put_sealed(taken.tape, clear, authenticated=b"label", key=key)
            taken.tape.sync()
        taken.unload()
    disk = b"".join(path.read_bytes() for path in place.iterdir())

    assert len(disk) > 5 * len(clear)
    assert b"CANARY" not in disk
    for form in (key, key.hex().encode(), key.hex().upper().encode(), key[:8], key[-8:], key[::-1]):
        assert form not in disk
    assert b"label" in disk


def test_wrong_key_and_damage_are_told_apart(tmp_path: Path) -> None:
    place = made(tmp_path)
    with held(place) as taken:
        block = put_sealed(taken.tape, DATA, key=bytes(32))
        taken.tape.rewind()
        header = taken.tape.next()
        assert header is not None
        assert header.kind is Kind.BLOCK
        assert header.block == block
        with pytest.raises(NotThisKey):
            contents(taken.tape)
        assert taken.tape.position == 0

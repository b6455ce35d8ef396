"""Data Encryption Status and Next Block Encryption Status (reference 2.5 and 2.6)."""

from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapekey.errors import Malformed
from tapekey.scsi.encryption import Ceem, DecryptionMode, EncryptionMode, KadFormat, Scope
from tapekey.scsi.encryption_status import (
    BlockCompression,
    BlockEncryption,
    EncryptionStatus,
    NextBlock,
    ParametersControl,
    decode_next_block,
    decode_status,
    encode_next_block,
    encode_status,
    read_next_block,
    read_status,
)
from tapekey.scsi.kad import Authentication, Kad, KadType
from tapekey.wire.codes import Code
from tests.octets import octets

STENC = octets("""
    00 20 00 24
    42 02 02 01
    00 00 00 01
    18 00 00 00
    00 00 00 00 00 00 00 00
    00 01 00 0c 48 65 6c 6c 6f 20 77 6f 72 6c 64 21
""")
HELLO = Kad(KadType.UNAUTHENTICATED, b"Hello world!", Authentication.NOT_COVERED)
STENC_STATUS = EncryptionStatus(
    page_length=0x24,
    nexus_scope=Scope.ALL,
    parameters_scope=Scope.ALL,
    encryption=EncryptionMode.ENCRYPT,
    decryption=DecryptionMode.DECRYPT,
    algorithm_index=1,
    key_instance_counter=1,
    parameters_control=ParametersControl.NOT_EXCLUSIVE,
    vcelb=True,
    kads=(HELLO,),
)
STATUS = {
    "reference 2.5: stenc unit test": (STENC, STENC_STATUS),
    "worked out by hand: after power on": (octets("00 20 00 14") + bytes(20), EncryptionStatus(page_length=20)),
    "worked out by hand: every field": (
        octets("""
            00 20 00 1a
            22           # nexus scope local, parameters scope all
            01 03 03     # external, mixed, index
            01 02 03 04  # key instance counter
            3f 02 00 09  # library-managed, VCELB, CEEMS 11b, RDMD; ASCII name; ASDK count
            00 00 00 00 00 00 00 00
            01 00 00 02 61 62
        """),
        EncryptionStatus(
            page_length=26,
            nexus_scope=Scope.LOCAL,
            parameters_scope=Scope.ALL,
            encryption=EncryptionMode.EXTERNAL,
            decryption=DecryptionMode.MIXED,
            algorithm_index=3,
            key_instance_counter=0x01020304,
            parameters_control=ParametersControl.AUTOMATION,
            vcelb=True,
            ceems=Ceem.REFUSE_ENCRYPTED,
            rdmd=True,
            kad_format=KadFormat.ASCII_NAME,
            asdk_count=9,
            kads=(Kad(KadType.AUTHENTICATED, b"ab"),),
        ),
    ),
}
NEXT = {
    "reference 2.6: Quantum without a medium": (octets("00 21 00 0c") + bytes(12), NextBlock(page_length=12)),
    "worked out by hand: encrypted block with its KADs": (
        octets("""
            00 21 00 1a
            00 00 00 01 02 03 04 05  # logical object number
            46 03 03 01              # compressed, no key; index 3; EMES, RDMDS; binary name
            00 02 00 02 75 75        # U-KAD
            01 03 00 04 61 61 61 61  # A-KAD
        """),
        NextBlock(
            page_length=26,
            object_number=0x0102030405,
            compression=BlockCompression.COMPRESSED,
            encryption=BlockEncryption.NO_KEY,
            algorithm_index=3,
            emes=True,
            rdmds=True,
            kad_format=KadFormat.BINARY_NAME,
            kads=(
                Kad(KadType.UNAUTHENTICATED, b"uu", Authentication.NOT_ATTEMPTED),
                Kad(KadType.AUTHENTICATED, b"aaaa", Authentication.AUTHENTICATED),
            ),
        ),
    ),
    "worked out by hand: clear block": (
        octets("00 21 00 0c 00 00 00 00 00 00 00 07 03 00 00 00"),
        NextBlock(page_length=12, object_number=7, encryption=BlockEncryption.CLEAR),
    ),
    "worked out by hand: filemark, status newer than our table for compression": (
        octets("00 21 00 0c 00 00 00 00 00 00 00 07 f2 00 00 00"),
        NextBlock(
            page_length=12,
            object_number=7,
            compression=BlockCompression(15),
            encryption=BlockEncryption.NOT_A_BLOCK,
        ),
    ),
}


@pytest.mark.parametrize(("image", "status"), STATUS.values(), ids=STATUS)
def test_status_matches_its_bytes(image: bytes, status: EncryptionStatus) -> None:
    assert encode_status(replace(status, page_length=0)) == image
    assert decode_status(image) == status
    assert decode_status(image + b"tail") == status


@pytest.mark.parametrize(("image", "block"), NEXT.values(), ids=NEXT)
def test_next_block_matches_its_bytes(image: bytes, block: NextBlock) -> None:
    assert encode_next_block(replace(block, page_length=0)) == image
    assert decode_next_block(image) == block
    assert decode_next_block(image + b"tail") == block


def test_page_that_announces_more_than_it_sends_ends_with_what_came() -> None:  # reference 2.5: MHV, no KAD
    image = octets("00 20 00 20 21") + bytes(19)

    status = decode_status(image)

    assert status.kads == ()
    assert status.nexus_scope is Scope.LOCAL


def test_list_that_announces_more_than_it_sends_ends_with_what_came() -> None:  # reference 2.5: MHV, with KAD
    assert decode_status(octets("00 20 00 30") + STENC[4:]).kads == (HELLO,)


def test_next_block_may_announce_more_than_it_sends_too() -> None:
    assert decode_next_block(octets("00 21 00 20") + bytes(12)).kads == ()


def test_authenticated_is_taken_where_it_is_reserved() -> None:
    assert decode_status(STENC).kads[0].authentication is Authentication.NOT_COVERED


def test_reserved_bits_are_ignored() -> None:
    noisy = bytearray(STENC)
    noisy[4] |= 0x18
    noisy[12] |= 0x80
    noisy[16:24] = b"\xff" * 8

    assert decode_status(bytes(noisy)) == STENC_STATUS


@pytest.mark.parametrize("control", list(ParametersControl))
def test_parameters_control_lies_in_bits_6_to_4(control: ParametersControl) -> None:
    image = octets("00 20 00 14") + bytes(8) + bytes([control << 4]) + bytes(11)

    assert decode_status(image).parameters_control is control


@pytest.mark.parametrize("encryption", list(BlockEncryption))
def test_block_status_lies_in_bits_3_to_0(encryption: BlockEncryption) -> None:
    image = octets("00 21 00 0c") + bytes(8) + bytes([encryption]) + bytes(3)

    assert decode_next_block(image).encryption is encryption


STATUS_MALFORMED = {
    "nothing": ("", "cut short"),
    "fixed part cut short": ("00 20 00 14" + " 00" * 19, "EncryptionStatus is cut short: 23 bytes of 24"),
    "fixed part announced short": ("00 20 00 13" + " 00" * 20, "EncryptionStatus is cut short: 23 bytes of 24"),
    "half a KAD came": (STENC[:-1].hex(), "key-associated data is cut short"),
    "half a KAD was announced": ("00 20 00 23" + STENC[4:].hex(), "key-associated data is cut short"),
    "another page": ("00 21 00 14" + " 00" * 20, "page code 0021h"),
}


@pytest.mark.parametrize(("image", "message"), STATUS_MALFORMED.values(), ids=STATUS_MALFORMED)
def test_what_is_no_status_is_malformed(image: str, message: str) -> None:
    with pytest.raises(Malformed, match=message):
        decode_status(octets(image))


@pytest.mark.parametrize("image", ["00 21 00 0c" + " 00" * 11, "00 20 00 0c" + " 00" * 12, "00 21 00 0d" + " 00" * 13])
def test_what_is_no_next_block_is_malformed(image: str) -> None:
    with pytest.raises(Malformed):
        decode_next_block(octets(image))


def test_pages_are_asked_for_by_their_code() -> None:
    assert read_status().cdb == octets("a2 20 00 20 00 00 00 00 20 00 00 00")
    assert read_next_block(128).cdb == octets("a2 20 00 21 00 00 00 00 00 80 00 00")
    assert read_next_block(128).data_in_max == 128


# fmt: off
NUMBERS: dict[type[Code], dict[str, int]] = {
    ParametersControl: {
        "NOT_REPORTED": 0, "NOT_EXCLUSIVE": 1, "DEVICE_SERVER": 2, "AUTOMATION": 3, "MANAGEMENT": 4,
    },
    BlockEncryption: {
        "NEVER_KNOWN": 0, "NOT_KNOWN_NOW": 1, "NOT_A_BLOCK": 2, "CLEAR": 3, "UNSUPPORTED": 4, "ENCRYPTED": 5,
        "NO_KEY": 6,
    },
    BlockCompression: {
        "NEVER_KNOWN": 0, "NOT_KNOWN_NOW": 1, "NOT_A_BLOCK": 2, "PLAIN": 3, "COMPRESSED": 4,
    },
}
# fmt: on


@pytest.mark.parametrize(("codes", "numbers"), NUMBERS.items(), ids=lambda one: getattr(one, "__name__", ""))
def test_codes_have_the_references_numbers(codes: type[Code], numbers: dict[str, int]) -> None:
    assert {code.name: code.value for code in codes} == numbers


@given(st.binary(max_size=80))
def test_any_bytes_are_a_status_or_malformed(data: bytes) -> None:
    for image in (data, b"\x00\x20" + data):
        with suppress(Malformed):
            status = decode_status(image)
            assert decode_status(encode_status(status)).kads == tuple(sorted(status.kads, key=lambda kad: kad.type))


@given(st.binary(max_size=80))
def test_any_bytes_are_a_next_block_or_malformed(data: bytes) -> None:
    for image in (data, b"\x00\x21" + data):
        with suppress(Malformed):
            decode_next_block(image)

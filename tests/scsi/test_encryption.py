"""Capabilities pages 0010h and 0012h (reference 2.2 and 2.4)."""

from contextlib import suppress
from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapekey.errors import Malformed
from tapekey.scsi import encryption
from tapekey.scsi.encryption import (
    Algorithm,
    AlgorithmCode,
    Capabilities,
    Capable,
    Configuration,
    Cryption,
    DkadCapability,
    ExternalCapability,
    ManagementCapabilities,
    NonceCapability,
    RawCapability,
    Validity,
    decode_page,
    encode_page,
)
from tapekey.wire.codes import Code
from tests.octets import octets

LTO = Algorithm(
    index=3,
    avfmv=True,
    mac_c=True,
    delb_c=True,
    decrypt_c=Cryption.HARDWARE,
    encrypt_c=Cryption.HARDWARE,
    avfclp=Validity.VALID,
    nonce_c=NonceCapability.EITHER,
    kadf_c=True,
    vcelb_c=True,
    max_ukad=32,
    max_akad=60,
    key_size=32,
    dkad_c=DkadCapability.OPTIONAL,
    eemc_c=ExternalCapability.ALLOWED,
    rdmc_c=RawCapability.ENABLED,
    earem=True,
    code=AlgorithmCode.AES_256_GCM_128,
)
LTO_BYTES = octets("""
    03 00 00 14  # index, descriptor length
    ba bc        # reference 2.2: values of an IBM LTO drive with a volume
    00 20 00 3c  # maximum U-KAD and A-KAD
    00 20        # key size
    eb 00
    00 00 00 00 00 00
    00 01 00 14  # AES-256-GCM
""")
PAGES = {
    "reference 2.2: IBM LTO-8 with a volume": (
        octets("00 10 00 28 09") + bytes(15) + LTO_BYTES,
        Capabilities(page_length=40, extdecc=Capable.CAPABLE, cfg_p=Configuration.ALLOWED, algorithms=(LTO,)),
    ),
    "reference 2.2: MHV's LTO without a volume": (
        octets("00 10 00 28 01")
        + bytes(15)
        + octets("01 00 00 14 3a 10 00 20 00 0c 00 20 09 00")
        + bytes(6)
        + octets("00 01 00 14"),
        Capabilities(
            page_length=40,
            cfg_p=Configuration.ALLOWED,
            algorithms=(
                Algorithm(
                    index=1,
                    mac_c=True,
                    delb_c=True,
                    decrypt_c=Cryption.HARDWARE,
                    encrypt_c=Cryption.HARDWARE,
                    nonce_c=NonceCapability.DEVICE,
                    max_ukad=32,
                    max_akad=12,
                    key_size=32,
                    rdmc_c=RawCapability.DISABLED,
                    earem=True,
                    code=AlgorithmCode.AES_256_GCM_128,
                ),
            ),
        ),
    ),
    "reference 7.1: IBM LTO-5 lists two": (
        octets("00 10 00 40 09")
        + bytes(15)
        + b"\x01"
        + LTO_BYTES[1:9]
        + b"\x0c"
        + LTO_BYTES[10:]
        + b"\x02"
        + LTO_BYTES[1:],
        Capabilities(
            page_length=64,
            extdecc=Capable.CAPABLE,
            cfg_p=Configuration.ALLOWED,
            algorithms=(replace(LTO, index=1, max_akad=12), replace(LTO, index=2)),
        ),
    ),
    "worked out by hand: library-managed, algorithms under external control": (
        octets("00 10 00 28 0a") + bytes(15) + octets("03 00 00 14 bf") + LTO_BYTES[5:],
        Capabilities(
            page_length=40,
            extdecc=Capable.CAPABLE,
            cfg_p=Configuration.PREVENTED,
            algorithms=(replace(LTO, decrypt_c=Cryption.EXTERNAL_CONTROL, encrypt_c=Cryption.EXTERNAL_CONTROL),),
        ),
    ),
    "worked out by hand: no algorithms": (
        octets("00 10 00 10 05") + bytes(15),
        Capabilities(page_length=16, extdecc=Capable.NOT_CAPABLE, cfg_p=Configuration.ALLOWED),
    ),
    "worked out by hand: what LTO drives leave zero": (
        octets("00 10 00 28 00")
        + bytes(15)
        + octets("07 00 00 14 45 43 12 34 56 78 9a bc 5d 0f 01 02 03 04 00 00 80 01 04 00"),
        Capabilities(
            page_length=40,
            algorithms=(
                Algorithm(
                    index=7,
                    sdk_c=True,
                    decrypt_c=Cryption.SOFTWARE,
                    encrypt_c=Cryption.SOFTWARE,
                    avfclp=Validity.NOT_VALID,
                    ukadf=True,
                    akadf=True,
                    max_ukad=0x1234,
                    max_akad=0x5678,
                    key_size=0x9ABC,
                    dkad_c=DkadCapability.REQUIRED,
                    eemc_c=ExternalCapability.NOT_ALLOWED,
                    rdmc_c=RawCapability.ALWAYS_DISABLED,
                    earem=True,
                    max_eedk_count=15,
                    msdk_count=0x0102,
                    max_eedk_size=0x0304,
                    code=AlgorithmCode(0x8001_0400),
                ),
            ),
        ),
    ),
}


@pytest.mark.parametrize(("image", "page"), PAGES.values(), ids=PAGES)
def test_capabilities_match_their_bytes(image: bytes, page: Capabilities) -> None:
    assert encode_page(replace(page, page_length=0)) == image
    assert decode_page(Capabilities, image) == page
    assert decode_page(Capabilities, image + b"tail") == page


def test_longer_descriptor_is_stepped_over() -> None:
    longer = b"\x01\x00\x00\x18" + LTO_BYTES[4:] + b"new!"
    image = octets("00 10 00 44 09") + bytes(15) + longer + LTO_BYTES

    assert [algorithm.index for algorithm in decode_page(Capabilities, image).algorithms] == [1, 3]


def test_unknown_algorithm_keeps_its_code() -> None:
    code = decode_page(Capabilities, PAGES["worked out by hand: what LTO drives leave zero"][0]).algorithms[0].code

    assert code.name == "UNKNOWN_80010400H"
    assert not code.known


def test_every_bit_of_lto_management_is_set() -> None:  # reference 2.4
    image = octets("00 12 00 0c 01 07 00 07") + bytes(8)
    page = ManagementCapabilities(
        page_length=12, lock_c=True, ckod_c=True, ckorp_c=True, ckorl_c=True, aitn_c=True, local_c=True, public_c=True
    )

    assert encode_page(page) == image
    assert decode_page(ManagementCapabilities, image) == page


@pytest.mark.parametrize(
    ("place", "mask", "name"),
    [
        (4, 0x01, "lock_c"),
        (5, 0x04, "ckod_c"),
        (5, 0x02, "ckorp_c"),
        (5, 0x01, "ckorl_c"),
        (7, 0x04, "aitn_c"),
        (7, 0x02, "local_c"),
        (7, 0x01, "public_c"),
    ],
)
def test_management_bit_has_its_place(place: int, mask: int, name: str) -> None:
    image = bytearray(octets("00 12 00 0c") + bytes(12))
    image[place] = mask

    page = decode_page(ManagementCapabilities, bytes(image))

    assert {one.name for one in fields(page) if getattr(page, one.name) is True} == {name}


HEAD = "00 10 00 {:02x} 09" + " 00" * 15
MALFORMED = {
    "nothing": ("", "cut short"),
    "no page length": ("00 10 00", "cut short"),
    "another page": ("00 20 00 10" + " 00" * 16, "page code 0020h"),
    "head cut short": ("00 10 00 0f" + " 00" * 15, "Capabilities is cut short"),
    "more announced than came": (HEAD.format(0x28) + LTO_BYTES[:23].hex(), "40 bytes are announced, 39 came"),
    "half a descriptor": (HEAD.format(0x1C) + LTO_BYTES[:12].hex(), "list of algorithms is cut short"),
    "descriptor that announces too little": (
        HEAD.format(0x27) + "03 00 00 13" + LTO_BYTES[4:23].hex(),
        "Algorithm is cut short",
    ),
    "three bytes behind the last": (HEAD.format(0x2B) + LTO_BYTES.hex() + "00 00 00", "list of algorithms is cut"),
}


@pytest.mark.parametrize(("image", "message"), MALFORMED.values(), ids=MALFORMED)
def test_what_is_no_page_is_malformed(image: str, message: str) -> None:
    with pytest.raises(Malformed, match=message):
        decode_page(Capabilities, octets(image))


def test_pages_are_asked_for_by_their_code() -> None:
    assert encryption.read_capabilities(64).cdb == octets("a2 20 00 10 00 00 00 00 00 40 00 00")
    assert encryption.read_management_capabilities(64).cdb == octets("a2 20 00 12 00 00 00 00 00 40 00 00")


# fmt: off
NUMBERS: dict[type[Code], dict[str, int]] = {
    encryption.InPage: {
        "IN_SUPPORT": 0x0000, "OUT_SUPPORT": 0x0001, "CAPABILITIES": 0x0010, "KEY_FORMATS": 0x0011,
        "MANAGEMENT_CAPABILITIES": 0x0012, "STATUS": 0x0020, "NEXT_BLOCK_STATUS": 0x0021,
        "GET_MANAGEMENT_ATTRIBUTES": 0x0022, "RANDOM_NUMBER": 0x0030, "PUBLIC_KEY": 0x0031,
    },
    encryption.OutPage: {
        "SET_DATA_ENCRYPTION": 0x0010, "SA_ENCAPSULATION": 0x0011, "SET_MANAGEMENT_ATTRIBUTES": 0x0022,
    },
    encryption.EncryptionMode: {"DISABLE": 0, "EXTERNAL": 1, "ENCRYPT": 2},
    encryption.DecryptionMode: {"DISABLE": 0, "RAW": 1, "DECRYPT": 2, "MIXED": 3},
    encryption.Scope: {"PUBLIC": 0, "LOCAL": 1, "ALL": 2},
    encryption.KeyFormat: {"PLAINTEXT": 0, "VENDOR_REFERENCE": 1, "WRAPPED": 2, "ESP_SCSI": 3},
    encryption.KadFormat: {"UNSPECIFIED": 0, "BINARY_NAME": 1, "ASCII_NAME": 2},
    encryption.Ceem: {"DEFAULT": 0, "NO_CHECK": 1, "REFUSE_EXTERNAL": 2, "REFUSE_ENCRYPTED": 3},
    encryption.Rdmc: {"DEFAULT": 0, "ENABLE_RAW": 2, "DISABLE_RAW": 3},
    encryption.Capable: {"NOT_REPORTED": 0, "NOT_CAPABLE": 1, "CAPABLE": 2},
    encryption.Configuration: {"NOT_REPORTED": 0, "ALLOWED": 1, "PREVENTED": 2},
    encryption.Cryption: {"NONE": 0, "SOFTWARE": 1, "HARDWARE": 2, "EXTERNAL_CONTROL": 3},
    encryption.Validity: {"NOT_APPLICABLE": 0, "NOT_VALID": 1, "VALID": 2},
    encryption.NonceCapability: {"NONE_NEEDED": 0, "DEVICE": 1, "CLIENT": 2, "EITHER": 3},
    encryption.DkadCapability: {"NOT_SPECIFIED": 0, "REQUIRED": 1, "NOT_ALLOWED": 2, "OPTIONAL": 3},
    encryption.ExternalCapability: {"NOT_SPECIFIED": 0, "NOT_ALLOWED": 1, "ALLOWED": 2},
    encryption.RawCapability: {
        "NOT_SPECIFIED": 0, "NEVER": 1, "DISABLED": 4, "ENABLED": 5, "ALWAYS_DISABLED": 6, "ALWAYS_ENABLED": 7,
    },
    encryption.AlgorithmCode: {
        "AES_256_CBC_HMAC_SHA1": 0x0001_000C, "AES_256_CCM_128": 0x0001_0010, "AES_256_GCM_128": 0x0001_0014,
        "AES_256_XTS_HMAC_SHA512": 0x0001_0016, "ESP_AES_256_CCM_128": 0x8001_0010,
        "ESP_AES_256_GCM_128": 0x8001_0014,
    },
}
# fmt: on


@pytest.mark.parametrize(("codes", "numbers"), NUMBERS.items(), ids=lambda one: getattr(one, "__name__", ""))
def test_codes_have_the_references_numbers(codes: type[Code], numbers: dict[str, int]) -> None:
    assert {code.name: code.value for code in codes} == numbers


@given(st.binary(max_size=100))
def test_any_bytes_are_pages_or_malformed(data: bytes) -> None:
    for structure in (Capabilities, ManagementCapabilities):
        with suppress(Malformed):
            decode_page(structure, data)


@given(st.binary(max_size=100))
def test_any_list_of_algorithms_is_read_or_malformed(data: bytes) -> None:
    image = octets("00 10 00") + bytes([16 + len(data), 0]) + bytes(15) + data
    with suppress(Malformed):
        page = decode_page(Capabilities, image)
        assert len(encryption.encode_algorithms(page.algorithms)) <= len(data)

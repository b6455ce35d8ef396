"""Set Data Encryption (reference 3.2 to 3.4): the frames real clients send, both ways, and a key that stays unseen."""

import traceback
from base64 import b64encode, b85encode
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapekey.errors import Malformed
from tapekey.exchange import Command, Reply
from tapekey.scsi.encryption import Ceem, DecryptionMode, EncryptionMode, KadFormat, KeyFormat, OutPage, Rdmc, Scope
from tapekey.scsi.kad import Kad, KadType
from tapekey.scsi.sense import FieldPointer
from tapekey.scsi.set_encryption import (
    SetDataEncryption,
    decode_set_data_encryption,
    field_name,
    set_data_encryption,
)
from tapekey.secret import Secret
from tapekey.transport.trace import Trace
from tapekey.wire.layout import decode, encode
from tests.octets import octets

KEY = bytes(range(0x41, 0x61))
NO_KADS: tuple[Kad, ...] = ()

FRAMES = {
    "reference 3.2, Bareos: encrypt and mixed, all nexuses": (
        octets("00 10 00 30 40 00 02 03 01 00 00 00 00 00 00 00 00 00 00 20") + KEY,
        SetDataEncryption(
            page_length=0x30,
            scope=Scope.ALL,
            encryption=EncryptionMode.ENCRYPT,
            decryption=DecryptionMode.MIXED,
            algorithm_index=1,
            key_length=32,
        ),
        KEY,
        NO_KADS,
    ),
    "reference 3.2, stenc: the same with CEEM 01b, and a key name": (
        octets("00 10 00 38 40 40 02 03 01 00 00 00 00 00 00 00 00 00 00 20") + KEY + octets("00 00 00 04 6e 61 6d 65"),
        SetDataEncryption(
            page_length=0x38,
            scope=Scope.ALL,
            ceem=Ceem.NO_CHECK,
            encryption=EncryptionMode.ENCRYPT,
            decryption=DecryptionMode.MIXED,
            algorithm_index=1,
            key_length=32,
        ),
        KEY,
        (Kad(KadType.UNAUTHENTICATED, b"name"),),
    ),
    "reference 3.2: clear everything, no key": (
        octets("00 10 00 10 40 00 00 00 03 00 00 00 00 00 00 00 00 00 00 00"),
        SetDataEncryption(page_length=16, scope=Scope.ALL, algorithm_index=3),
        None,
        NO_KADS,
    ),
    "reference 3.2, Bareos: clear everything, with a key of zeros": (
        octets("00 10 00 30 40 00 00 00 01 00 00 00 00 00 00 00 00 00 00 20") + bytes(32),
        SetDataEncryption(page_length=0x30, scope=Scope.ALL, algorithm_index=1, key_length=32),
        bytes(32),
        NO_KADS,
    ),
    "worked out by hand: every field": (
        octets("""
            00 10        # page code
            00 1c        # page length: 16 + 2 + 2 * 5
            21           # scope local, lock
            bf           # CEEM 10b, RDMC 11b, SDK, CKOD, CKORP, CKORL
            01 02        # external, decrypt
            02 02 02     # algorithm index, wrapped key, KAD format ASCII
            00 00 00 00 00 00 00
            00 02 de ad  # key
            01 00 00 01 61
            03 00 00 01 6d
        """),
        SetDataEncryption(
            OutPage.SET_DATA_ENCRYPTION,
            28,
            Scope.LOCAL,
            True,
            Ceem.REFUSE_EXTERNAL,
            Rdmc.DISABLE_RAW,
            True,
            True,
            True,
            True,
            EncryptionMode.EXTERNAL,
            DecryptionMode.DECRYPT,
            2,
            KeyFormat.WRAPPED,
            KadFormat.ASCII_NAME,
            2,
        ),
        b"\xde\xad",
        (Kad(KadType.AUTHENTICATED, b"a"), Kad(KadType.METADATA, b"m")),
    ),
}
VECTORS = pytest.mark.parametrize(("image", "page", "key", "kads"), FRAMES.values(), ids=FRAMES)


def secret_of(data: object) -> bytes:
    assert isinstance(data, Secret)
    return bytes(data.reveal())


@VECTORS
def test_command_sends_the_frame(
    image: bytes, page: SetDataEncryption, key: bytes | None, kads: tuple[Kad, ...]
) -> None:
    unfilled = replace(page, page_length=0, key_length=0)

    command = set_data_encryption(unfilled, None if key is None else Secret(key), reversed(kads))

    assert secret_of(command.data_out) == image
    assert command.cdb == octets("b5 20 00 10 00 00 00 00 00") + bytes([len(image), 0, 0])


@VECTORS
def test_frame_is_taken_apart(image: bytes, page: SetDataEncryption, key: bytes | None, kads: tuple[Kad, ...]) -> None:
    for tail in (b"", b"tail"):
        taken, taken_key, taken_kads = decode_set_data_encryption(Secret(image + tail))

        assert taken == page
        assert (None if taken_key is None else secret_of(taken_key)) == key
        assert taken_kads == kads


@VECTORS
def test_page_alone_matches_its_bytes(
    image: bytes, page: SetDataEncryption, key: bytes | None, kads: tuple[Kad, ...]
) -> None:
    assert encode(page) == image[:20]
    assert decode(SetDataEncryption, image) == page


HEAD = "00 10 00 {:02x} 40 00 02 03 01 00 00 00 00 00 00 00 00 00 00 {:02x}"
REFUSED = {
    "nothing": ("", "cut short"),
    "nineteen bytes": ("00 10 00 0f" + " 00" * 15, "cut short"),
    "page length beyond what came": (HEAD.format(0x30, 0x20) + " 00" * 31, "52 bytes are announced, 51 came"),
    "page length that cuts the key": (HEAD.format(0x2F, 0x20) + " 00" * 32, "a key of 32 bytes is announced"),
    "page length that cuts the page": (HEAD.format(0x0F, 0x00), "a key of 0 bytes is announced"),
    "page length that cuts a KAD": (HEAD.format(0x17, 0x00) + "00 00 00 04 61 62 63 64", "key-associated data is cut"),
    "another page": ("00 11" + HEAD[5:].format(0x10, 0), "page code 0011h"),
}


@pytest.mark.parametrize(("image", "message"), REFUSED.values(), ids=REFUSED)
def test_frame_that_is_none_is_malformed(image: str, message: str) -> None:
    with pytest.raises(Malformed, match=message):
        decode_set_data_encryption(Secret(octets(image)))


def test_command_does_not_show_the_key() -> None:
    command = set_data_encryption(SetDataEncryption(), Secret(KEY), [Kad(KadType.UNAUTHENTICATED, b"name")])

    for shown in (repr(command), str(command), f"{command}", repr(command.data_out), str(command.data_out)):
        assert KEY.decode() not in shown
        assert KEY.hex() not in shown.replace(" ", "")
    assert repr(command.data_out) == "<secret, 60 bytes>"


class Silent:
    """A transport that takes everything and says nothing."""

    def execute(self, command: Command) -> Reply:
        return Reply(0)


def test_trace_does_not_show_the_key() -> None:
    lines: list[str] = []

    Trace(Silent(), lines.append).execute(set_data_encryption(SetDataEncryption(), Secret(KEY)))

    (line,) = lines
    assert "b52000100000000000340000" in line
    for shown in (KEY.decode(), KEY.hex(), KEY.hex(" "), b64encode(KEY).decode()[:40], b85encode(KEY).decode()):
        assert shown.lower() not in line.lower()


@pytest.mark.parametrize("cut", [51, 30, 19])
def test_failure_does_not_show_the_key(cut: int) -> None:
    frame = Secret(FRAMES["reference 3.2, Bareos: encrypt and mixed, all nexuses"][0][:cut])

    with pytest.raises(Malformed) as caught:
        decode_set_data_encryption(frame)

    shown = "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=True).format())
    assert f"<secret, {cut} bytes>" in shown
    assert "ABCD" not in shown


def test_key_taken_apart_outlives_the_frame() -> None:
    frame = Secret(FRAMES["reference 3.2, Bareos: encrypt and mixed, all nexuses"][0])

    _, key, _ = decode_set_data_encryption(frame)
    frame.wipe()

    assert key is not None
    assert secret_of(key) == KEY


NAMES = {
    "stenc PR 28": (FieldPointer(8, 7), "ALGORITHM INDEX"),
    "key format": (FieldPointer(9), "KEY FORMAT"),
    "KAD format": (FieldPointer(10), "KAD FORMAT"),
    "CKOD": (FieldPointer(5, 2), "CKOD"),
    "a reserved bit": (FieldPointer(4, 3), "byte 4 bit 3"),
    "key length": (FieldPointer(19), "KEY LENGTH"),
    "key": (FieldPointer(51), "KEY"),
    "behind the key": (FieldPointer(52), "KEY-ASSOCIATED DATA"),
    "CDB": (FieldPointer(2, in_cdb=True), "SECURITY PROTOCOL SPECIFIC"),
}


@pytest.mark.parametrize(("pointer", "name"), NAMES.values(), ids=NAMES)
def test_field_that_the_drive_objects_to_is_named(pointer: FieldPointer, name: str) -> None:
    assert field_name(pointer, key_length=32) == name


@given(st.binary(max_size=80))
def test_any_bytes_are_a_frame_or_malformed(data: bytes) -> None:
    with suppress(Malformed):
        decode_set_data_encryption(Secret(data))


@given(st.binary(max_size=8), st.binary(min_size=2, max_size=2), st.binary(max_size=60))
def test_any_bytes_behind_a_page_code_are_a_frame_or_malformed(flags: bytes, length: bytes, tail: bytes) -> None:
    data = b"\x00\x10\x00" + length[:1] + flags.ljust(14, b"\0") + b"\0" + length[1:] + tail
    try:
        page, key, _ = decode_set_data_encryption(Secret(data))
    except Malformed:
        return
    assert len(key or b"") == page.key_length

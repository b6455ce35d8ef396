"""Sealing: one place for each secret, one tag for each row."""

import hashlib

import cbor2
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.keywrap import aes_key_unwrap_with_padding

from tapekey.errors import NotThisKey, StoreDamaged
from tapekey.keystore import seal
from tapekey.keystore.seal import Place, Purpose
from tapekey.secret import Secret

ROOT = bytes(range(32))
STORE = b"S" * 16
PLACE = Place("data_keys", b"K" * 16, 1)
SECRET = b"a data key is 32 bytes long, ok?"


def sealed() -> tuple[seal.Seal, bytes]:
    made = seal.of_root(Secret(ROOT), STORE)
    return made, made.close(PLACE, Purpose.DATA_KEY, Secret(SECRET))


def test_sealed_bytes_are_what_the_format_page_says() -> None:
    _, value = sealed()
    key = HKDF(hashes.SHA256(), 32, STORE, b"tapekey/store/1/data key").derive(ROOT)
    context = cbor2.dumps([STORE, "data_keys", b"K" * 16, 1, "data key"])
    assert aes_key_unwrap_with_padding(key, value) == hashlib.sha256(context).digest() + SECRET


def test_a_sealed_secret_opens_in_its_place() -> None:
    made, value = sealed()
    assert made.open(PLACE, Purpose.DATA_KEY, value) == Secret(SECRET)


@pytest.mark.parametrize(
    "elsewhere",
    [Place("secrets", b"K" * 16, 1), Place("data_keys", b"L" * 16, 1), Place("data_keys", b"K" * 16, 2)],
    ids=["table", "record", "version"],
)
def test_a_sealed_secret_does_not_open_elsewhere(elsewhere: Place) -> None:
    made, value = sealed()
    with pytest.raises(StoreDamaged, match=elsewhere.table):
        made.open(elsewhere, Purpose.DATA_KEY, value)


def test_a_sealed_secret_does_not_open_for_another_purpose_or_store() -> None:
    made, value = sealed()
    with pytest.raises(StoreDamaged):
        made.open(PLACE, Purpose.PRIVATE_KEY, value)
    with pytest.raises(StoreDamaged):
        seal.of_root(Secret(ROOT), b"T" * 16).open(PLACE, Purpose.DATA_KEY, value)


def test_every_changed_or_missing_byte_is_found() -> None:
    made, value = sealed()
    changed = [value[:at] + bytes([value[at] ^ 1]) + value[at + 1 :] for at in range(len(value))]
    for wrong in (*changed, value[:-1], value[:-8], b""):
        with pytest.raises(StoreDamaged):
            made.open(PLACE, Purpose.DATA_KEY, wrong)


def test_wrap_tells_another_key_from_another_place() -> None:
    value = seal.wrap(Secret(ROOT), b"here", Secret(SECRET))
    with pytest.raises(NotThisKey):
        seal.unwrap(Secret(bytes(32)), b"here", value)
    with pytest.raises(StoreDamaged, match="wrong place"):
        seal.unwrap(Secret(ROOT), b"there", value)


def test_a_tag_depends_on_table_order_and_type() -> None:
    made, _ = sealed()
    rows: list[tuple[str, list[seal.Value]]] = [
        ("a", ["1", "2"]),
        ("b", ["1", "2"]),
        ("a", ["2", "1"]),
        ("a", ["12", ""]),
        ("a", [1, "2"]),
        ("a", [b"1", "2"]),
        ("a", ["1", None]),
    ]
    assert len({made.tag(table, values) for table, values in rows}) == len(rows)


def test_a_wiped_seal_does_nothing_any_more() -> None:
    made, value = sealed()
    made.wipe()
    with pytest.raises(ValueError, match="wiped"):
        made.open(PLACE, Purpose.DATA_KEY, value)


def test_a_seal_shows_no_key() -> None:
    made, _ = sealed()
    assert "Secret" not in repr(made)
    assert ROOT.hex() not in repr(made)

"""The file read by docs/formats/keystore.md alone: SQLite, CBOR and `cryptography`, nothing of the package."""

import hashlib
import hmac
import sqlite3
from pathlib import Path
from typing import Any

import cbor2
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.keywrap import aes_key_unwrap_with_padding

from tapekey.keystore import schema
from tests.keystore import vault

PAGE = Path(__file__).parents[2] / "docs" / "formats" / "keystore.md"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    made = vault.make(tmp_path)
    with vault.manager(made) as manager:
        manager.prepare(vault.request())
    return made


def rows(place: Path, table: str) -> list[tuple[Any, ...]]:
    connection = sqlite3.connect(place / "keystore.db")
    found = connection.execute(f'SELECT * FROM "{table}" ORDER BY 1').fetchall()  # noqa: S608
    connection.close()
    return found


def unwrapped(key: bytes, context: list[object], wrapped: bytes) -> bytes:
    whole = aes_key_unwrap_with_padding(key, wrapped)
    assert whole[:32] == hashlib.sha256(cbor2.dumps(context, canonical=True)).digest()
    return whole[32:]


def store_id(place: Path) -> bytes:
    found = rows(place, "store")[0][2]
    assert isinstance(found, bytes)
    return found


def root_key(place: Path) -> bytes:
    number, kind, _, parameters, wrapped = rows(place, "slots")[0]
    cost = cbor2.loads(parameters)
    passphrase_key = Argon2id(
        salt=cost["salt"], length=32, iterations=cost["passes"], lanes=cost["lanes"], memory_cost=cost["memory"]
    ).derive(vault.WORDS)
    return unwrapped(passphrase_key, ["tapekey/slot/1", store_id(place), number, kind, parameters], wrapped)


def derived(place: Path, purpose: str) -> bytes:
    info = b"tapekey/store/1/" + purpose.encode()
    return HKDF(hashes.SHA256(), 32, store_id(place), info).derive(root_key(place))


def tag(place: Path, table: str, row: tuple[Any, ...]) -> bytes:
    content = cbor2.dumps([store_id(place), table, list(row[:-1])], canonical=True)
    return hmac.digest(derived(place, "rows"), content, "sha256")


def test_a_data_key_comes_out_and_matches_its_check_value(place: Path) -> None:
    key_id, *_, version, sealed, _ = row = rows(place, "data_keys")[0]
    key = unwrapped(derived(place, "data key"), [store_id(place), "data_keys", key_id, version, "data key"], sealed)
    assert len(key) == 32
    assert hmac.digest(key, b"tapekey/kcv/1" + key_id, "sha256")[:16] == row[4]


@pytest.mark.parametrize("table", sorted(set(schema.METADATA.tables) - {"slots"}))
def test_every_row_has_its_tag(place: Path, table: str) -> None:
    for row in rows(place, table):
        assert row[-1] == tag(place, table, row)


def test_the_digest_of_a_table_is_the_sum_over_its_rows(place: Path) -> None:
    key = derived(place, "sets")
    heads = {name: (count, digest) for name, count, digest, _ in rows(place, "heads")}
    tags = [row[-1] for row in rows(place, "recipients")]
    total = sum(int.from_bytes(hmac.digest(key, one, "sha256")) for one in tags) % 2**256
    assert heads["recipients"] == (3, total.to_bytes(32))


def test_the_chain_can_be_followed_without_a_key(place: Path) -> None:
    previous = bytes(32).hex()
    for _, line, _ in rows(place, "audit"):
        assert f'"previous":"{previous}"' in line
        previous = hashlib.sha256(line.encode()).hexdigest()


def test_the_page_names_every_table_and_purpose() -> None:
    page = PAGE.read_text()
    for name in (*schema.METADATA.tables, "data key", "private key", "manager key", "rows", "sets", "slots"):
        assert f"`{name}`" in page

"""Slots: every way in is a standard wrap with a context, and nothing from the file is trusted before it opens."""

from dataclasses import replace
from pathlib import Path

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapekey.errors import Malformed, StoreDamaged, StoreLocked, Usage
from tapekey.keystore import slots
from tapekey.keystore.slots import Cost, KeyFile, Slot
from tapekey.secret import Secret
from tests.keystore import vault

ROOT = Secret(bytes(range(32)))
STORE = b"S" * 16


def key_file(directory: Path, content: bytes = b"k" * 32, mode: int = 0o600) -> KeyFile:
    path = directory / "root.key"
    path.write_bytes(content)
    path.chmod(mode)
    return KeyFile(path)


def passphrase_slot() -> Slot:
    return slots.make(1, vault.words(), ROOT, STORE)


def with_parameters(**changes: object) -> Slot:
    slot = passphrase_slot()
    return replace(slot, parameters=cbor2.dumps(cbor2.loads(slot.parameters) | changes))


def test_a_passphrase_opens_its_slot() -> None:
    assert slots.unlock([passphrase_slot()], [vault.words()], STORE) == ROOT


def test_a_wrong_passphrase_leaves_the_store_locked() -> None:
    with pytest.raises(StoreLocked, match="no slot opens"):
        slots.unlock([passphrase_slot()], [vault.words(b"wrong")], STORE)


def test_nothing_given_leaves_the_store_locked_and_names_the_slots() -> None:
    with pytest.raises(StoreLocked) as caught:
        slots.unlock([passphrase_slot()], [], STORE)
    assert "passphrase" in caught.value.mend


def test_an_empty_passphrase_is_refused() -> None:
    with pytest.raises(Usage):
        slots.make(1, vault.words(b""), ROOT, STORE)


def test_the_second_slot_opens_too(tmp_path: Path) -> None:
    table = [passphrase_slot(), slots.make(2, key_file(tmp_path), ROOT, STORE)]
    assert slots.unlock(table, [key_file(tmp_path)], STORE) == ROOT
    assert slots.unlock(table, [vault.words(b"wrong"), key_file(tmp_path)], STORE) == ROOT


def test_an_unknown_kind_is_passed_over() -> None:
    table = [Slot(1, "token", "", b"", b"x" * 72), replace(passphrase_slot(), id=1)]
    assert slots.unlock(table, [vault.words()], STORE) == ROOT


def test_a_slot_of_another_store_or_number_is_damage() -> None:
    for wrong, store_id in ((passphrase_slot(), b"T" * 16), (replace(passphrase_slot(), id=2), STORE)):
        with pytest.raises(StoreDamaged, match="wrong place"):
            slots.unlock([wrong], [vault.words()], store_id)


@pytest.mark.parametrize(
    "changes",
    [
        {"memory": 1024 * 1024 + 1},
        {"memory": 7},
        {"memory": 2**64},
        {"passes": 0},
        {"passes": 65},
        {"lanes": 0},
        {"lanes": 65},
        {"lanes": True},
        {"memory": "64"},
        {"salt": b"short"},
        {"salt": "a text of sixteen"},
    ],
    ids=str,
)
def test_costs_out_of_bounds_are_damage_before_any_work(changes: dict[str, object]) -> None:
    with pytest.raises(StoreDamaged, match="passphrase slot"):
        slots.unlock([with_parameters(**changes)], [vault.words()], STORE)


def test_a_cheaper_cost_put_in_place_does_not_open() -> None:
    with pytest.raises(StoreLocked):
        slots.unlock([with_parameters(memory=32)], [vault.words()], STORE)


@given(st.binary(max_size=200))
def test_any_parameters_give_a_cost_or_damage(parameters: bytes) -> None:
    try:
        _, cost = slots.decode_cost(parameters)
    except StoreDamaged:
        return
    assert cost.memory <= slots.MOST.memory


def test_the_default_cost_is_256_mib_and_the_most_1_gib() -> None:
    assert Cost() == Cost(memory=262144, passes=3, lanes=4)
    assert slots.MOST.memory == 1048576


@pytest.mark.parametrize("size", [0, 16, 31, 33, 64])
def test_a_key_file_has_exactly_32_bytes(tmp_path: Path, size: int) -> None:
    with pytest.raises(Malformed, match="exactly 32"):
        slots.read_key_file(key_file(tmp_path, b"k" * size))


def test_a_key_file_may_hold_zeros_and_newlines(tmp_path: Path) -> None:
    content = b"\0" * 16 + b"\n" * 16
    assert slots.read_key_file(key_file(tmp_path, content)) == Secret(content)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o644])
def test_a_key_file_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    with pytest.raises(StoreLocked, match="others may read it"):
        slots.read_key_file(key_file(tmp_path, mode=mode))


def test_a_key_file_must_be_a_file(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "missing", Path("/dev/zero")):
        with pytest.raises(StoreLocked):
            slots.read_key_file(KeyFile(path))


def test_a_systemd_credential_is_a_key_file(tmp_path: Path) -> None:
    key_file(tmp_path, mode=0o440)
    credential = slots.credential("root.key", {"CREDENTIALS_DIRECTORY": str(tmp_path)})
    table = [slots.make(1, credential, ROOT, STORE)]
    assert slots.unlock(table, [credential], STORE) == ROOT


def test_without_the_directory_there_is_no_credential() -> None:
    with pytest.raises(Usage, match="CREDENTIALS_DIRECTORY"):
        slots.credential("root.key", {})

"""Data keys on record: states as KMIP has them, and a destroyed key that is really gone."""

import itertools
from pathlib import Path

import pytest

from tapekey.errors import Conflict, KeyUnavailable, NotFound
from tapekey.keys.data_key import DataKey, KeyId, new_data_key
from tapekey.keystore import cartridges, data_keys
from tapekey.keystore.records import Origin, State
from tapekey.keystore.rows import Transaction
from tests.keystore import vault

ALLOWED = {
    (State.PRE_ACTIVE, State.ACTIVE),
    (State.PRE_ACTIVE, State.COMPROMISED),
    (State.PRE_ACTIVE, State.DESTROYED),
    (State.ACTIVE, State.DEACTIVATED),
    (State.ACTIVE, State.COMPROMISED),
    (State.DEACTIVATED, State.COMPROMISED),
    (State.DEACTIVATED, State.DESTROYED),
    (State.COMPROMISED, State.DESTROYED),
}


def added(transaction: Transaction, state: State) -> DataKey:
    key = new_data_key()
    cartridges.seen(transaction, "MED1")
    data_keys.add(transaction, key, "MED1", Origin.OWN, state)
    return key


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return vault.make(tmp_path_factory.mktemp("keys"))


@pytest.mark.parametrize(("before", "after"), list(itertools.product(State, State)))
def test_states_follow_each_other_as_kmip_says(place: Path, before: State, after: State) -> None:
    with vault.opened(place) as keystore, keystore.writing() as transaction:
        key = added(transaction, before)
        if (before, after) in ALLOWED:
            assert data_keys.move(transaction, key.id, after).state is after
        else:
            with pytest.raises(Conflict, match=f"it is {before.value}"):
                data_keys.move(transaction, key.id, after)


def test_a_key_comes_back_as_it_was(place: Path) -> None:
    with vault.opened(place) as keystore:
        with keystore.writing() as transaction:
            key = added(transaction, State.PRE_ACTIVE)
        with keystore.reading() as transaction:
            found = data_keys.open_key(transaction, data_keys.find(transaction, key.id))
    assert found.secret == key.secret
    assert any(found.secret.reveal())


def test_a_destroyed_key_leaves_no_wrapped_copy(tmp_path: Path) -> None:
    with vault.manager(vault.make(tmp_path)) as manager:
        prepared = manager.prepare(vault.request())
        with manager.store.writing() as transaction:
            data_keys.move(transaction, prepared.key_id, State.DESTROYED, why="as told")
            record = data_keys.find(transaction, prepared.key_id)
            with pytest.raises(KeyUnavailable, match="as told"):
                data_keys.open_key(transaction, record)
            (issue,) = data_keys.issues_for_medium(transaction, "MED0000001")
            kad = data_keys.by_kad(transaction, prepared.kad)
            assert kad is not None
        assert (record.sealed, issue.envelope, issue.kad, kad.kad) == (b"", b"", b"", b"")


def test_a_key_that_is_not_there_is_not_found(place: Path) -> None:
    with vault.opened(place) as keystore, keystore.reading() as transaction, pytest.raises(NotFound):
        data_keys.find(transaction, KeyId(b"x" * 16))


def test_one_kad_is_of_one_key(place: Path) -> None:
    with vault.opened(place) as keystore, keystore.writing() as transaction:
        one, other = added(transaction, State.ACTIVE), added(transaction, State.ACTIVE)
        data_keys.index(transaction, b"kad", one.id, "MED1")
        data_keys.index(transaction, b"kad", one.id, "MED1")
        with pytest.raises(Conflict):
            data_keys.index(transaction, b"kad", other.id, "MED1")

"""Recipients: unique by name, key and short id; private halves sealed."""

from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import pytest

from tapekey.errors import Conflict, NotFound, Usage
from tapekey.keys.identity import Kind
from tapekey.keys.recipient import PublicRecipient
from tapekey.keystore import recipients, store
from tapekey.keystore.records import Role
from tests.keystore import vault


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_comes_back_whole_with_its_private_half(tmp_path: Path, kind: Kind) -> None:
    made = vault.key_pair(kind, 7)
    with vault.opened(vault.make(tmp_path)) as keystore:
        vault.write(keystore, lambda one: recipients.add(one, "x", made))
        with keystore.reading() as transaction:
            record = recipients.get(transaction, "x")
            assert recipients.identity_of(transaction, record) == made
            assert recipients.identity_of(transaction, record).secret == made.secret
            assert recipients.named(transaction, "x").recipient.fingerprint == made.recipient.fingerprint


def test_a_public_half_alone_opens_nothing(tmp_path: Path) -> None:
    with vault.opened(vault.make(tmp_path)) as keystore:
        vault.write(keystore, lambda one: recipients.add(one, "x", vault.public_rsa().recipient))
        with keystore.reading() as transaction:
            record = recipients.get(transaction, "x")
            assert not record.held
            with pytest.raises(NotFound, match="not in this keystore"):
                recipients.identity_of(transaction, record)


def test_a_group_key_is_held_by_whoever_wraps_with_it(tmp_path: Path) -> None:
    kek = vault.key_pair(Kind.KEK, 7)
    with vault.opened(vault.make(tmp_path)) as keystore:
        vault.write(keystore, lambda one: recipients.add(one, "x", kek.recipient))
        with keystore.reading() as transaction:
            assert recipients.identity_of(transaction, recipients.get(transaction, "x")).secret == kek.secret


def test_a_name_is_taken_once(tmp_path: Path) -> None:
    with vault.opened(vault.make(tmp_path)) as keystore, pytest.raises(Conflict, match="recipient site already"):
        vault.write(keystore, lambda one: recipients.add(one, "site", vault.public_rsa()))


def test_a_key_is_on_record_once(tmp_path: Path) -> None:
    with vault.opened(vault.make(tmp_path)) as keystore, keystore.writing() as transaction:
        recipients.add(transaction, "one", vault.public_rsa())
        with pytest.raises(Conflict, match="as recipient one"):
            recipients.add(transaction, "two", vault.public_rsa())


@pytest.mark.parametrize(("same", "refused"), [(4, True), (3, False)])
def test_a_short_id_that_collides_is_refused(tmp_path: Path, same: int, refused: bool) -> None:
    real = vault.public_rsa().recipient
    assert isinstance(real, PublicRecipient)
    alike = replace(real, fingerprint=real.fingerprint[:same] + bytes(byte ^ 1 for byte in real.fingerprint[same:]))
    with vault.opened(vault.make(tmp_path)) as keystore, keystore.writing() as transaction:
        recipients.add(transaction, "one", real)
        with pytest.raises(Conflict, match="first 4 bytes") if refused else nullcontext():
            recipients.add(transaction, "two", alike)


@pytest.mark.parametrize("name", ["", "a b", "a,b", "a/b", "../x", "a\0", "x" * 65, "\u202ex", "a\n"])
def test_a_name_is_short_and_plain(tmp_path: Path, name: str) -> None:
    with vault.opened(vault.make(tmp_path)) as keystore, keystore.writing() as transaction, pytest.raises(Usage):
        recipients.add(transaction, name, vault.public_rsa())


@pytest.mark.parametrize("name", ["'; DROP TABLE recipients; --", '"x"', "Müller"])
def test_a_name_is_data_to_the_database(tmp_path: Path, name: str) -> None:
    name = name.replace(" ", "_")
    with vault.opened(vault.make(tmp_path)) as keystore:
        vault.write(keystore, lambda one: recipients.add(one, name, vault.public_rsa()))
        with keystore.reading() as transaction:
            assert recipients.get(transaction, name).name == name


def test_what_was_added_is_in_the_audit_chain(tmp_path: Path) -> None:
    with vault.opened(vault.make(tmp_path)) as keystore:
        vault.write(keystore, lambda one: recipients.add(one, "x", vault.public_rsa().recipient))
        facts = store.audit_lines(keystore)[-1].facts
    assert (facts["recipient"], facts["private_half_here"]) == ("x", 0)


def test_the_role_finds_its_recipient(tmp_path: Path) -> None:
    with vault.opened(vault.make(tmp_path, unsafe=True)) as keystore, keystore.reading() as transaction:
        found = recipients.with_role(transaction, Role.SITE)
        assert found is not None
        assert found.name == "site"
        assert recipients.with_role(transaction, Role.RECOVERY) is None

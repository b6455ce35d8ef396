"""A new keystore can serve at once, and never silently holds single copies."""

from pathlib import Path

import pytest

from tapekey.errors import Usage
from tapekey.keys.suite import Suite
from tapekey.keystore import birth, recipients, store
from tapekey.keystore.records import Role
from tests.keystore import vault


def test_it_asks_for_a_recovery_recipient(tmp_path: Path) -> None:
    with pytest.raises(Usage) as caught:
        birth.create(tmp_path / "store", [vault.words()])
    assert "--recovery-recipient" in caught.value.mend
    assert not (tmp_path / "store").exists()


def test_it_is_born_with_site_group_and_recovery(tmp_path: Path) -> None:
    with vault.opened(vault.make(tmp_path)) as keystore, keystore.reading() as transaction:
        found = {one.name: (one.role, one.suite, one.held) for one in recipients.every(transaction)}
    assert found == {
        "site": (Role.SITE, Suite.HPKE_X25519, True),
        "group": (Role.GROUP, Suite.AES_KW, True),
        "recovery": (Role.RECOVERY, Suite.HPKE_X25519, False),
    }


def test_it_has_a_signing_key(tmp_path: Path) -> None:
    with vault.opened(vault.make(tmp_path)) as keystore, keystore.reading() as transaction:
        assert len(store.kept_secret(transaction, birth.SIGNING_KEY)) == 32


def test_single_copies_are_accepted_only_in_so_many_words(tmp_path: Path) -> None:
    for unsafe, expected in ((True, "on"), (False, "")):
        place = vault.make(tmp_path / expected, unsafe=unsafe)
        with vault.opened(place) as keystore, keystore.reading() as transaction:
            assert store.setting(transaction, birth.UNSAFE_SINGLE_COPY) == expected


def test_the_choice_can_be_changed_and_leaves_a_line(tmp_path: Path) -> None:
    with vault.opened(vault.make(tmp_path)) as keystore:
        for on, expected in ((True, "on"), (False, "off")):
            with keystore.writing() as transaction:
                birth.set_unsafe_single_copy(transaction, on=on)
            assert store.audit_lines(keystore)[-1].facts == {"setting": "unsafe_single_copy", "value": expected}

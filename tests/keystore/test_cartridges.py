"""Cartridges on record, by serial and by label."""

import os
from pathlib import Path

import pytest

from tapekey.errors import Conflict, NotFound, Usage
from tapekey.keystore import cartridges, status
from tests.keystore import vault


def test_a_cartridge_is_found_by_serial_or_label(tmp_path: Path) -> None:
    with vault.opened(vault.make(tmp_path)) as keystore, keystore.writing() as transaction:
        made = cartridges.seen(transaction, "MED1", "ENC001L6", "", "ENC001L6")
        assert made.volsers == ("ENC001L6",)
        assert cartridges.seen(transaction, "MED1", "ENC002L6").volsers == ("ENC001L6", "ENC002L6")
        for name in ("MED1", "ENC001L6", "ENC002L6"):
            assert cartridges.find(transaction, name).medium_serial == "MED1"


def test_a_label_that_two_have_had_names_neither(tmp_path: Path) -> None:
    with vault.opened(vault.make(tmp_path)) as keystore, keystore.writing() as transaction:
        for serial in ("MED1", "MED2"):
            cartridges.seen(transaction, serial, "ENC001L6")
        with pytest.raises(Conflict, match="MED1, MED2"):
            cartridges.find(transaction, "ENC001L6")
        with pytest.raises(NotFound):
            cartridges.find(transaction, "ENC009L6")


def test_a_cartridge_never_seen_can_be_declared_scratch(tmp_path: Path) -> None:
    with vault.opened(vault.make(tmp_path)) as keystore, keystore.writing() as transaction:
        cartridges.scratch(transaction, "MED1", by="operator")
        assert cartridges.find(transaction, "MED1").scratch


def test_a_cartridge_without_serial_is_not_recorded(tmp_path: Path) -> None:
    with vault.opened(vault.make(tmp_path)) as keystore, keystore.writing() as transaction, pytest.raises(Usage):
        cartridges.seen(transaction, "", "ENC001L6")


def test_a_name_that_is_no_text_is_the_callers_mistake(tmp_path: Path) -> None:
    name = os.fsdecode(b"ENC\xff")
    with vault.opened(vault.make(tmp_path)) as keystore:
        for act in (cartridges.find, cartridges.seen):
            with pytest.raises(Usage, match="not text"), keystore.writing() as transaction:
                act(transaction, name)


def test_status_counts_what_is_there(tmp_path: Path) -> None:
    with vault.opened(vault.make(tmp_path)) as keystore:
        vault.write(keystore, lambda one: cartridges.seen(one, "MED1"))
        found = status.status(keystore)
    assert (found.cartridges, found.recipients, found.recovery) == (1, 3, "recovery")
    assert (found.unsafe_single_copy, found.slots) == (False, ((1, "passphrase", ""),))

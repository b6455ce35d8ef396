from pathlib import Path

import pytest

from tapekey.errors import StoreDamaged
from tapekey.keystore import qualifications, store
from tapekey.keystore.qualifications import Qualified, Tried
from tapekey.keystore.records import QualificationRow
from tests.keystore import vault

FOUND = Qualified("D1", b"\x50\x01", "G350", (Tried("key_parks", "yes", ""), Tried("write_guard", "no", "5/24/00")))


def test_a_qualification_is_kept_with_its_firmware_and_time(tmp_path: Path) -> None:
    with vault.opened(vault.make(tmp_path)) as keystore:
        vault.write(keystore, lambda transaction: qualifications.keep(transaction, FOUND))
        with keystore.reading() as transaction:
            kept = qualifications.get(transaction, "D1")
            assert qualifications.get(transaction, "D2") is None
        assert kept is not None
        assert (kept.firmware, kept.naa, kept.results) == ("G350", b"\x50\x01", FOUND.results)
        assert kept.tried.endswith("Z")
        line = store.audit_lines(keystore)[-1]
        assert (line.event, line.facts["answers"]) == ("drive qualified", "key_parks yes, write_guard no")


def test_the_newest_takes_the_older_ones_place(tmp_path: Path) -> None:
    newer = Qualified("D1", b"\x50\x01", "G900", ())
    with vault.opened(vault.make(tmp_path)) as keystore:
        for found in (FOUND, newer):
            vault.write(keystore, lambda transaction, found=found: qualifications.keep(transaction, found))  # type: ignore[misc]
        with keystore.reading() as transaction:
            assert len(transaction.every(QualificationRow)) == 1
            kept = qualifications.get(transaction, "D1")
        assert kept is not None
        assert kept.firmware == "G900"


@pytest.mark.parametrize("results", ["", "{", "[[1]]", "3", '["ab"]'])
def test_results_that_do_not_decode_are_damage(tmp_path: Path, results: str) -> None:
    with vault.opened(vault.make(tmp_path)) as keystore:
        vault.write(keystore, lambda transaction: transaction.insert(QualificationRow("D1", b"", "", "", results)))
        with keystore.reading() as transaction, pytest.raises(StoreDamaged):
            qualifications.get(transaction, "D1")

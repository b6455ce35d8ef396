"""What a drive's ledger puts into the log: each change once, with the fields that the journal is searched by."""

import logging

import pytest

from tapekey.service.ledger import Ledger, Upshot
from tapekey.service.stay import Finding


def logged(caplog: pytest.LogCaptureFixture) -> list[tuple[str, dict[str, str]]]:
    return [(record.getMessage(), record.__dict__["journal_fields"]) for record in caplog.records]


@pytest.fixture
def book(caplog: pytest.LogCaptureFixture) -> Ledger:
    caplog.set_level(logging.INFO)
    book = Ledger("HU1", "/dev/sg3")
    book.find(Finding.EMPTY)
    caplog.clear()
    return book


def test_a_change_is_told_with_drive_and_cartridge(book: Ledger, caplog: pytest.LogCaptureFixture) -> None:
    book.find(Finding.WORK)
    assert logged(caplog) == []
    book.conclude(Upshot(Finding.REFUSED, "CM1", "CLR001L6", None, "it holds clear data"))
    assert logged(caplog) == [
        (
            "drive HU1, cartridge CLR001L6: refused: it holds clear data",
            {"TAPEKEY_DRIVE": "HU1", "TAPEKEY_CARTRIDGE": "CM1", "TAPEKEY_BARCODE": "CLR001L6"},
        )
    ]


def test_what_is_as_it_was_is_not_told_again(book: Ledger, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(3):
        book.find(Finding.WORK)
        book.conclude(Upshot(Finding.LEFT, "CM1", "X", None, "another's"))
    assert len(logged(caplog)) == 1

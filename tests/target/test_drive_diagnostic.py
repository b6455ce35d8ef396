"""SEND DIAGNOSTIC and RECEIVE DIAGNOSTIC RESULTS (reference 11.5)."""

from pathlib import Path

import pytest

from tapekey.exchange import Command
from tests.bench import powered
from tests.octets import octets
from tests.target.initiator import code

SENT = {
    "self-test": ("1d 04 00 00 00 00", b"", "good"),
    "nothing": ("1d 10 00 00 00 00", b"", "good"),
    "which pages are there": ("1d 10 00 00 04 00", bytes(4), "good"),
    "LTFS forces a dump": ("1d 10 00 00 08 00", octets("80 00 00 04 01 60 00 00"), "5/26/00"),
    "a background test": ("1d 20 00 00 00 00", b"", "5/24/00"),
    "self-test with a page": ("1d 04 00 00 04 00", bytes(4), "5/24/00"),
}


@pytest.mark.parametrize(("cdb", "data", "answer"), SENT.values(), ids=SENT)
def test_sent_diagnostic(tmp_path: Path, cdb: str, data: bytes, answer: str) -> None:
    assert code(powered(tmp_path).execute(Command(octets(cdb), data))) == answer


def test_received_diagnostic_lists_one_page(tmp_path: Path) -> None:
    bench = powered(tmp_path)

    assert bench.execute(Command(octets("1c 01 00 00 ff 00"), data_in_max=255)).data_in == octets("00 00 00 01 00")
    assert bench.execute(Command(octets("1c 00 00 00 ff 00"), data_in_max=255)).data_in == octets("00 00 00 01 00")
    assert code(bench.execute(Command(octets("1c 01 80 00 ff 00"), data_in_max=255))) == "5/24/00"

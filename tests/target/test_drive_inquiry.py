"""INQUIRY, vital product data and REPORT LUNS (reference 1.7)."""

from pathlib import Path

import pytest

from tapekey.exchange import Command
from tapekey.scsi import inquiry, vital
from tapekey.scsi.inquiry import VitalPage
from tapekey.target.personality import PERSONALITIES
from tests.bench import NAA, SERIAL, Bench, powered
from tests.octets import octets
from tests.target.initiator import code

HPE = [0x00, 0x80, 0x83, 0xB0, 0xB1, 0xD0]
VITAL = {
    "ibm-lto4": [0x00, 0x80, 0x83, 0xB0, 0xD0],
    "ibm-lto5": [0x00, 0x80, 0x83, 0xB0, 0xB5, 0xD0],
    "ibm-lto6": [0x00, 0x80, 0x83, 0xB0, 0xB1, 0xB5, 0xD0],
    "hpe-lto6": HPE,
}


def page(bench: Bench, which: int) -> bytes:
    reply = bench.execute(inquiry.inquire_vital(VitalPage(which)))
    return reply.data_in if code(reply) == "good" else b""


def test_standard_data_is_byte_for_byte_what_a_tape_says(tmp_path: Path) -> None:
    data = powered(tmp_path).execute(inquiry.inquire()).data_in

    assert data[:36] == octets("01 80 06 02 5B 01 00 02") + b"IBM     ULT3580-TD6     G350"
    assert data[58:74] == octets("0080 0460 0400 0960 0000 0000 0000 0000")  # SAM-4, SPC-4, SSC-3, iSCSI
    assert len(data) == 96
    assert not data[6] & 0x08  # no attached changer


@pytest.mark.parametrize(("name", "pages"), VITAL.items())
def test_list_of_pages_and_reality_agree(tmp_path: Path, name: str, pages: list[int]) -> None:
    bench = powered(tmp_path, name)

    assert list(vital.decode_supported(page(bench, 0x00))) == pages
    assert [number for number in range(256) if page(bench, number)] == pages


METHODS = {
    "ibm-lto4": None,
    "ibm-lto6": "01 B5 00 08 00000000  03 01 04 C0",
    "ibm-lto7": "01 B5 00 0C 00000000  03 01 04 C0  03 02 04 C0",
    "hpe-lto6": None,
}


@pytest.mark.parametrize(("name", "image"), METHODS.items())
def test_block_protection_is_told_by_bit_and_page(tmp_path: Path, name: str, image: str | None) -> None:
    """PROTECT, and method descriptors: Reed-Solomon (01h), CRC32C (02h), of four bytes, written and read."""
    bench = powered(tmp_path, name)

    assert bench.execute(inquiry.inquire()).data_in[5] & 0x01 == (image is not None)
    assert page(bench, 0xB5) == (octets(image) if image else b"")


def test_names(tmp_path: Path) -> None:
    bench = powered(tmp_path)

    assert vital.decode_serial(page(bench, 0x80)) == SERIAL
    designators = vital.decode_designators(page(bench, 0x83))
    assert vital.naa(designators) == NAA
    assert vital.t10_id(designators) == f"IBM     ULT3580-TD6     {SERIAL}"


def test_page_code_without_evpd_is_refused(tmp_path: Path) -> None:
    assert code(powered(tmp_path).execute(Command(bytes.fromhex("120080002400"), data_in_max=36))) == "5/24/00"


def test_one_logical_unit(tmp_path: Path) -> None:
    bench = powered(tmp_path)

    assert bench.execute(inquiry.report_luns()).data_in == octets("00000008 00000000 0000000000000000")
    assert code(bench.execute(Command(bytes.fromhex("a00003000000000000100000"), data_in_max=16))) == "5/24/00"


def test_every_personality_has_a_name_of_its_own_and_fields_that_fit() -> None:
    for name, row in PERSONALITIES.items():
        assert row.name == name
        assert len(row.vendor) <= 8
        assert len(row.product) <= 16
        assert len(row.revision) == 4
        assert row.generation in row.reads
        assert set(row.writes) <= set(row.reads)

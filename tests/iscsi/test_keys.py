"""The table of keys: legal ranges and defaults, as RFC 7143, clause 13 has them."""

from pathlib import Path

import pytest

from tapekey.iscsi import keys, negotiation
from tapekey.iscsi.config import Offer
from tapekey.iscsi.keys import KEYS, Form

# Lower and upper bound and default, copied by hand from 13.2 to 13.20, not from the table under test.
RANGES = {
    "MaxConnections": (1, 65535, "1"),
    "TargetPortalGroupTag": (0, 65535, ""),
    "MaxRecvDataSegmentLength": (512, 16777215, "8192"),
    "MaxBurstLength": (512, 16777215, "262144"),
    "FirstBurstLength": (512, 16777215, "65536"),
    "DefaultTime2Wait": (0, 3600, "2"),
    "DefaultTime2Retain": (0, 3600, "20"),
    "MaxOutstandingR2T": (1, 65535, "1"),
    "ErrorRecoveryLevel": (0, 2, "0"),
    "iSCSIProtocolLevel": (0, 31, "1"),
}
BOOLEANS = {"InitialR2T": "Yes", "ImmediateData": "Yes", "DataPDUInOrder": "Yes", "DataSequenceInOrder": "Yes"}


def test_every_number_is_in_the_table() -> None:
    assert {key.name for key in keys.ROWS if key.form is Form.NUMBER} == set(RANGES)


def test_every_boolean_is_in_the_table() -> None:
    assert {key.name: key.default for key in keys.ROWS if key.form is Form.BOOLEAN} == BOOLEANS


@pytest.mark.parametrize(("name", "bounds"), RANGES.items())
def test_number_is_legal_within_its_bounds_only(name: str, bounds: tuple[int, int, str]) -> None:
    low, high, default = bounds
    key = KEYS[name]
    assert key.default == default
    assert [negotiation.legal(key, str(value)) for value in (low - 1, low, high, high + 1)] == [
        False,
        True,
        True,
        False,
    ]
    assert negotiation.legal(key, hex(high))
    assert not any(negotiation.legal(key, value) for value in ("", "Yes", f"{low}~{high}", f"{low},{high}", f" {low}"))


@pytest.mark.parametrize("name", BOOLEANS)
def test_boolean_is_yes_or_no_and_nothing_else(name: str) -> None:
    legal = [
        value for value in ("Yes", "No", "yes", "NO", "1", "0", "", "Yes,No") if negotiation.legal(KEYS[name], value)
    ]
    assert legal == ["Yes", "No"]


@pytest.mark.parametrize("name", ["InitiatorName", "TargetName"])
def test_name_is_at_most_223_bytes(name: str) -> None:
    assert negotiation.legal(KEYS[name], "i" * 223)
    assert not negotiation.legal(KEYS[name], "i" * 224)
    assert not negotiation.legal(KEYS[name], "ä" * 112)
    assert not negotiation.legal(KEYS[name], "")


@pytest.mark.parametrize("name", ["HeaderDigest", "DataDigest", "AuthMethod", "TaskReporting"])
def test_list_has_values_between_its_commas(name: str) -> None:
    assert negotiation.legal(KEYS[name], "CRC32C,None")
    assert not negotiation.legal(KEYS[name], "")
    assert not negotiation.legal(KEYS[name], "CRC32C,,None")
    assert not negotiation.legal(KEYS[name], "a" * 64)


def test_no_key_is_in_two_tables() -> None:
    assert not set(KEYS) & (set(keys.OBSOLETE) | keys.CHAP)
    assert len(KEYS) == len(keys.ROWS)


def test_document_has_the_table() -> None:
    page = (Path(__file__).parents[2] / "docs" / "iscsi.md").read_text()
    section = page.partition("\n## Keys\n")[2].partition("\n## ")[0]
    told = [[cell.strip() for cell in line.split("|")[1:-1]] for line in section.splitlines() if line.startswith("|")][
        2:
    ]
    ours = {**negotiation.ours(Offer()), "AuthMethod": "see above", "TargetPortalGroupTag": "1"}
    assert told == [
        [
            key.name,
            f"{key.low} to {key.high}" if key.form is Form.NUMBER else "",
            key.result.value,
            ours.get(key.name, ""),
        ]
        for key in keys.ROWS
    ]

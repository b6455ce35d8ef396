"""Additional sense codes in words: every code of the reference has some (sections 1.5, 4.1, 5.1 to 5.3, 8.2)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapekey.scsi import asc, asc_private, asc_security, asc_tape
from tapekey.scsi.sense import SenseKey

LISTING = """
    0/00/00 0/00/01 0/00/02 3/00/02 D/00/02 0/00/04 8/00/05 0/00/07 B/00/1E 2/04/00 2/04/01 2/04/02 2/04/12
    2/04/13 3/04/10 3/0C/0B 3/11/12 4/15/01 5/1A/00 5/20/00 5/21/01 5/24/00 5/25/00 5/26/00 5/26/01 5/26/02
    5/26/05 7/26/10 5/26/11 5/26/12 7/27/00 6/28/00 6/28/01 6/29/00 6/29/01 6/29/03 6/29/04 6/29/07 6/2A/01
    6/2A/03 6/2A/04 6/2A/05 6/2A/0D 6/2A/10 6/2A/11 6/2A/12 7/2A/13 6/2A/14 5/2C/00 5/2C/0B 3/30/00 3/30/01
    3/30/02 2/30/03 7/30/05 7/30/0C 2/3A/00 2/3A/04 5/3B/0C 5/3B/0D 5/3B/0E 6/3B/12 6/3B/13 6/3B/14 6/3B/15
    6/3B/16 6/3B/17 6/3B/18 6/3B/19 6/3B/1A 6/3B/1B 6/3F/01 5/53/02 5/53/06 5/55/06 5/55/08 5/55/09 7/5A/02
    7/74/00 7/74/01 7/74/02 7/74/03 7/74/04 7/74/05 7/74/06 7/74/07 5/74/08 7/74/09 7/74/0A 7/74/0B 5/74/0C
    5/74/0D 5/74/10 5/74/11 5/74/12 5/74/21 5/74/30 B/74/40 7/74/61 7/74/62 7/74/63 7/74/64 7/74/6E 7/74/6F
    5/74/71 5/74/79 5/83/02 5/83/04 7/EF/10 7/EF/11 7/EF/13 7/EF/1A 7/EF/A0 7/EF/A1 7/EF/C0 7/EE/0E 7/EE/0F
    4/EE/0E 4/EE/0F 5/EE/00 5/EE/01 5/EE/02 5/EE/10 5/EE/25 5/EE/2B 5/EE/2C 5/EE/31 5/EE/FF 3/EE/D0 3/EE/D1
    3/EE/E0 3/EE/F0 3/EE/F1 6/EE/11 6/EE/12 6/EE/18 6/EE/19 6/EE/40 6/EE/51 6/EF/01 6/EF/10 6/EF/11 6/EF/13
    6/EF/1A
    3/53/00 B/10/01 5/26/04 6/2A/02 4/53/00 5/53/03 4/44/00 5/39/00
"""
CODES = LISTING.split()
# What ends well needs no mending.
HARMLESS = {"0/00/00", "0/00/01", "0/00/04", "0/00/07"}


def numbers(code: str) -> tuple[int, int, int]:
    key, additional, qualifier = (int(part, 16) for part in code.split("/"))
    return key, additional, qualifier


@pytest.mark.parametrize("code", CODES)
def test_code_of_the_reference_has_words(code: str) -> None:
    key, additional, qualifier = numbers(code)

    meaning = asc.explain(key, additional, qualifier)

    assert asc.known(additional, qualifier)
    assert meaning.text
    assert meaning.mend or code in HARMLESS


def test_table_has_no_code_that_this_list_lacks() -> None:
    places = {place for table in (asc_security.TABLE, asc_tape.TABLE, asc_private.TABLE) for place in table}
    listed = {numbers(code)[1:] for code in CODES} | {(0xEE, ascq) for ascq in range(0x40, 0x52)}

    assert {(int(place.split("/")[1], 16), int(place.split("/")[2], 16)) for place in places} == listed


def test_no_code_is_in_two_tables() -> None:
    tables = [asc_security.TABLE, asc_tape.TABLE, asc_private.TABLE]

    assert len({place for table in tables for place in table}) == sum(len(table) for table in tables)


def test_wrong_key_is_told_from_no_key() -> None:
    assert asc.explain(7, 0x74, 0x01).text == "unable to decrypt data"
    assert asc.explain(7, 0x74, 0x03).text == "incorrect data encryption key"


def test_key_chooses_between_meanings_of_one_code() -> None:
    assert "full" in asc.explain(0xD, 0x00, 0x02).cause
    assert "beyond the end" in asc.explain(3, 0x00, 0x02).cause


def test_code_with_another_key_means_the_same() -> None:
    assert asc.explain(4, 0xEE, 0x0E) == asc.explain(7, 0xEE, 0x0E)


def test_code_of_an_unconfirmed_key_is_found_with_any() -> None:
    assert asc.explain(7, 0x74, 0x63) == asc.explain(4, 0x74, 0x63)


def test_unknown_code_says_so_and_speaks_by_its_key() -> None:
    meaning = asc.explain(SenseKey.NOT_READY, 0x99, 0x01)

    assert meaning.text == "the drive is not ready"
    assert meaning.cause == "additional sense 99/01 is not in our table"
    assert not asc.known(0x99, 0x01)


def test_unknown_key_is_not_guessed() -> None:
    assert asc.explain(0x0C, 0x99, 0x01).text == "the drive reports a condition that we have no words for"


def test_every_sense_key_has_a_generic_meaning() -> None:
    assert set(asc.GENERIC) == set(SenseKey)


@given(st.integers(0, 15), st.integers(0, 255), st.integers(0, 255))
def test_any_code_has_a_text(key: int, additional: int, qualifier: int) -> None:
    assert asc.explain(key, additional, qualifier).text

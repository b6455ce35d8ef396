"""Logical unit numbers, from SAM-5, 4.7: peripheral device and flat space addressing."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tapekey.iscsi import lun

FIELDS = {
    "unit 0": ("0000 000000000000", 0),
    "unit 3": ("0003 000000000000", 3),
    "unit 255, the last of peripheral addressing": ("00ff 000000000000", 255),
    "unit 3 in flat space": ("4003 000000000000", 3),
    "unit 256 in flat space": ("4100 000000000000", 256),
    "unit 16383, the last of flat space": ("7fff 000000000000", 16383),
    "a bus other than ours": ("0103 000000000000", None),
    "logical unit addressing": ("8003 000000000000", None),
    "a well-known unit": ("c101 000000000000", None),
    "a second level": ("0003 0001 00000000", None),
    "a last byte": ("0003 0000 00000001", None),
}


@pytest.mark.parametrize(("field", "unit"), FIELDS.values(), ids=FIELDS)
def test_field_names_its_unit(field: str, unit: int | None) -> None:
    assert lun.decode(int(field.replace(" ", ""), 16)) == unit


@settings(deadline=None)
@given(st.integers(0, 16383))
def test_every_unit_has_a_field_that_names_it(unit: int) -> None:
    assert lun.decode(int.from_bytes(lun.encode(unit), "big")) == unit


@pytest.mark.parametrize("unit", [-1, 16384])
def test_unit_beyond_flat_space_has_no_field(unit: int) -> None:
    with pytest.raises(ValueError, match="logical unit"):
        lun.encode(unit)


@settings(deadline=None)
@given(st.integers(0, 2**64 - 1))
def test_any_field_is_a_unit_or_none(field: int) -> None:
    unit = lun.decode(field)
    assert unit is None or 0 <= unit < 1 << 14

"""Sizes of partitions from Medium Partition page 11h (reference 11.3); worked out by hand on a volume of 400 GB."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapekey.scsi.mode_page import MediumPartition, PartitionUnit
from tapekey.target.partitioning import NotPossible, most_additional, size_fields, sizes_of, told
from tests.octets import octets

GB = 10**9
WHOLE = 400 * GB
SMALL = 10 * GB  # one in forty
TEN, MEGABYTES = PartitionUnit.TEN_TO_THE_UNITS, PartitionUnit.MEGABYTES


def page(additional: int, **fields: object) -> MediumPartition:
    return MediumPartition(additional=additional, **fields)  # type: ignore[arg-type]


def chosen(additional: int, sizes: str, unit: PartitionUnit = TEN, units: int = 9) -> MediumPartition:
    return page(additional, by_sizes=True, unit=unit, units=units, sizes=octets(sizes))


PLANS = {
    "one, whatever the way": (page(0, fixed=True), (WHOLE,)),
    "one, by size": (chosen(0, "ffff"), (WHOLE,)),
    "the drive's own two": (page(1, fixed=True), (WHOLE - SMALL, SMALL)),
    "two of one size": (page(1, by_count=True), (WHOLE // 2, WHOLE // 2)),
    "four of one size": (page(3, by_count=True), (WHOLE // 4,) * 4),
    "no way named": (page(1), (WHOLE - SMALL, SMALL)),
    "mkltfs: 1 and the rest": (chosen(1, "0001 ffff"), (SMALL, WHOLE - SMALL)),
    "the rest first": (chosen(1, "ffff 0001"), (WHOLE - SMALL, SMALL)),
    "gigabytes": (chosen(1, "0064 ffff"), (100 * GB, 300 * GB)),
    "megabytes": (chosen(1, "c350 ffff", MEGABYTES, 0), (50 * GB, 350 * GB)),
    "four, the third the rest": (chosen(3, "0014 0028 ffff 0032"), (20 * GB, 40 * GB, 290 * GB, 50 * GB)),
    "no rest named: the last has it": (chosen(1, "0064 0064"), (100 * GB, 300 * GB)),
    "sizes behind those used do not matter": (chosen(1, "0064 ffff 0000 0000"), (100 * GB, 300 * GB)),
}


@pytest.mark.parametrize(("wanted", "sizes"), PLANS.values(), ids=PLANS)
def test_page_makes_these_partitions(wanted: MediumPartition, sizes: tuple[int, ...]) -> None:
    assert sizes_of(wanted, WHOLE, 3) == sizes


REFUSED = {
    "two ways": (page(1, fixed=True, by_sizes=True, sizes=octets("0001 ffff")), (4, 7)),
    "added to what is there": (page(1, fixed=True, add=True), (4, 0)),
    "more than the medium can have": (page(4, fixed=True), (3, 7)),
    "fewer sizes than partitions": (chosen(3, "0001 ffff"), (3, 7)),
    "the rest twice": (chosen(1, "ffff ffff"), (10, 7)),
    "a size of nothing": (chosen(1, "0000 ffff"), (8, 7)),
    "more than there is": (chosen(1, "0190 0001"), (8, 7)),
    "nothing left for the rest": (chosen(1, "0190 ffff"), (8, 7)),
}


@pytest.mark.parametrize(("wanted", "place"), REFUSED.values(), ids=REFUSED)
def test_page_that_cannot_be_followed_names_its_field(wanted: MediumPartition, place: tuple[int, int]) -> None:
    with pytest.raises(NotPossible) as refusal:
        sizes_of(wanted, WHOLE, 3)

    assert (refusal.value.byte, refusal.value.bit) == place


MOST = {("lto4", "lto4"): 0, ("lto5", "lto5"): 1, ("lto6", "lto5"): 1, ("lto9", "lto9"): 3, ("lto6", "lto4"): 0}


@pytest.mark.parametrize(("pair", "most"), MOST.items(), ids=str)
def test_drive_and_medium_both_limit_the_partitions(pair: tuple[str, str], most: int) -> None:
    assert most_additional(*pair) == most
    assert size_fields(pair[0]) == {"lto4": 1, "lto5": 2}.get(pair[0], 4)


TOLD = {
    "large": ((2400 * GB, 100 * GB), (9, "0960 0064 0000 0000")),
    "one beyond 65,535 units": ((700_000 * GB,), (9, "ffff 0000 0000 0000")),
    "small": ((64 << 20,), (6, "0043 0000 0000 0000")),
}


@pytest.mark.parametrize(("sizes", "fields"), TOLD.values(), ids=TOLD)
def test_partitions_are_told_in_one_unit(sizes: tuple[int, ...], fields: tuple[int, str]) -> None:
    assert told(sizes, 4) == (fields[0], octets(fields[1]))


@given(
    st.integers(1, WHOLE),
    st.integers(0, 255),
    st.tuples(st.booleans(), st.booleans(), st.booleans()),
    st.sampled_from(list(PartitionUnit)),
    st.integers(0, 15),
    st.binary(max_size=8),
)
def test_any_page_makes_partitions_that_fill_the_volume_or_is_refused(
    capacity: int, additional: int, ways: tuple[bool, ...], unit: PartitionUnit, units: int, sizes: bytes
) -> None:
    fixed, by_count, by_sizes = ways
    wanted = page(additional, fixed=fixed, by_count=by_count, by_sizes=by_sizes, unit=unit, units=units, sizes=sizes)
    try:
        found = sizes_of(wanted, capacity, 3)
    except NotPossible:
        return
    assert sum(found) == capacity
    assert len(found) == additional + 1
    assert all(size >= 0 for size in found)

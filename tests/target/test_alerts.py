"""TapeAlert: what raises a flag, and what ends it (reference 1.11)."""

from dataclasses import replace
from pathlib import Path

import pytest

from tapekey.exchange import Command
from tapekey.scsi import attribute, inquiry, media, tape_alert
from tapekey.scsi.attribute_table import AttributeId
from tapekey.scsi.log import LogPage, log_sense
from tapekey.scsi.log_counters import DeviceStatistic, decode_counters
from tapekey.scsi.sense import Sense, SenseKey
from tapekey.scsi.tape_alert import TapeAlert as Flag
from tapekey.target import alerts, cartridge
from tests.bench import Bench, made, powered
from tests.target.initiator import code, rewind, write


def flags(bench: Bench) -> frozenset[Flag]:
    """Page 12h, which leaves them as they are."""
    return tape_alert.decode_tape_alert_response(bench.execute(tape_alert.look_at_tape_alerts()).data_in)


def taken(bench: Bench) -> frozenset[Flag]:
    """Page 2Eh, which does not."""
    return tape_alert.decode_tape_alerts(bench.execute(tape_alert.take_tape_alerts()).data_in)


def holding(directory: Path, generation: str = "lto6", **what: object) -> Bench:
    bench = powered(directory, empty=True)
    bench.insert(made(directory, generation, "TAPE", **what))
    return bench.settle()


def test_blank_tape_raises_nothing(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    assert write(bench, b"x") == "good"

    assert flags(bench) == frozenset()


def test_write_on_a_protected_volume(tmp_path: Path) -> None:
    place = made(tmp_path, "lto6", "TAB")
    cartridge.protect(place, True)
    bench = powered(tmp_path, empty=True)
    bench.insert(place)
    assert write(bench.settle(), b"x") == "7/27/00"

    assert flags(bench) == {Flag.WRITE_PROTECT}


def test_unload_while_removal_is_prevented(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    assert code(bench.execute(media.prevent_removal())) == "good"
    assert code(bench.execute(media.unload())) == "5/53/02"

    assert flags(bench) == {Flag.NO_REMOVAL}


def test_overwriting_a_write_once_medium(tmp_path: Path) -> None:
    bench = holding(tmp_path, worm=True)
    assert write(bench, b"x") == "good"
    rewind(bench)
    assert write(bench, b"y") == "7/30/0C"

    assert flags(bench) == {Flag.WORM_OVERWRITE_ATTEMPTED}


def test_unknown_format_and_read_only_format_are_told_at_load(tmp_path: Path) -> None:
    assert flags(holding(tmp_path / "new", "lto7")) == {Flag.UNSUPPORTED_FORMAT}
    assert flags(holding(tmp_path / "old", "lto4")) == {Flag.READ_ONLY_FORMAT}


def test_damaged_chip_is_told_at_load(tmp_path: Path) -> None:
    place = made(tmp_path, "lto6", "CHIP")
    (place / "memory").write_bytes(b"nothing")
    bench = powered(tmp_path, empty=True)
    bench.insert(place)

    assert flags(bench.settle()) == {Flag.MEMORY_CHIP_FAILURE}


@pytest.mark.parametrize(
    ("loads", "flag"), [(18_998, None), (18_999, Flag.NEARING_MEDIA_LIFE), (19_999, Flag.MEDIA_LIFE)]
)
def test_age_of_a_medium_is_told_at_load(tmp_path: Path, loads: int, flag: Flag | None) -> None:
    place = made(tmp_path, "lto6", "AGED")
    with cartridge.Cartridge.open(place) as taken_out:
        taken_out.memory.keep(replace(taken_out.memory.account, loads=loads))
    bench = powered(tmp_path, empty=True)
    bench.insert(place)

    assert flags(bench.settle()) == ({flag} if flag else frozenset())


def test_failed_load_is_told(tmp_path: Path) -> None:
    place = made(tmp_path, "lto6", "BROKEN")
    next(place.glob("partition-0*")).unlink()
    bench = powered(tmp_path, empty=True)
    bench.insert(place)

    assert flags(bench.settle()) == {Flag.LOAD_FAILURE}


ERRORS = {
    "read": (Sense(SenseKey.MEDIUM_ERROR, 0x11, 0x00), Flag.READ_FAILURE, DeviceStatistic.HARD_READ_ERRORS),
    "write": (Sense(SenseKey.MEDIUM_ERROR, 0x0C, 0x00), Flag.WRITE_FAILURE, DeviceStatistic.HARD_WRITE_ERRORS),
}


@pytest.mark.parametrize(("sense", "flag", "counter"), ERRORS.values(), ids=ERRORS)
def test_hard_error_is_told_and_counted_and_at_last_asks_for_cleaning(
    tmp_path: Path, sense: Sense, flag: Flag, counter: DeviceStatistic
) -> None:
    bench = powered(tmp_path)
    alerts.observe(bench.drive, sense)
    assert flags(bench) == {Flag.HARD_ERROR, flag}
    for _ in range(alerts.ERRORS_UNTIL_CLEANING - 1):
        alerts.observe(bench.drive, sense)

    assert flags(bench) == {Flag.HARD_ERROR, flag, Flag.CLEAN_NOW}
    page = bench.execute(log_sense(LogPage.DEVICE_STATISTICS)).data_in
    assert decode_counters(page, LogPage.DEVICE_STATISTICS)[counter] == alerts.ERRORS_UNTIL_CLEANING


def test_reading_page_2eh_takes_the_flags_of_this_nexus_only(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    other = bench.as_other()
    alerts.observe(bench.drive, ERRORS["read"][0])

    assert taken(bench) == {Flag.HARD_ERROR, Flag.READ_FAILURE}
    assert taken(bench) == frozenset()
    assert flags(other) == {Flag.HARD_ERROR, Flag.READ_FAILURE}


def test_next_volume_begins_without_flags_of_the_last(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    for flag in alerts.OF_VOLUME:
        bench.drive.nexuses.raise_alert(flag)
    bench.drive.nexuses.raise_alert(Flag.CLEAN_NOW)

    bench.swap(made(tmp_path, "lto6", "NEXT"))

    assert flags(bench) == {Flag.CLEAN_NOW}


def test_attribute_0002h_has_the_same_flags(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    alerts.observe(bench.drive, ERRORS["read"][0])

    reply = bench.execute(attribute.read_attribute(AttributeId.TAPE_ALERT_FLAGS))
    found = attribute.decode_attribute(reply.data_in, AttributeId.TAPE_ALERT_FLAGS)

    assert found is not None
    assert found.value == bytes.fromhex("2800000000000000")  # flags 03h and 05h
    assert found.read_only


def test_commands_that_are_no_error_raise_nothing(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    for command in (media.read_block(10), inquiry.inquire(), Command(b"\xc9" + bytes(5))):
        bench.execute(command)

    assert flags(bench) == frozenset()

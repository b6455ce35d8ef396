"""Cleaning cartridges: used once, counted, pushed out (reference 4.2 attribute 0409h, 5.3)."""

from dataclasses import replace
from pathlib import Path

from tapekey.scsi import media, tape_alert
from tapekey.scsi.device_status import Activity, decode_device_status, read_device_status
from tapekey.scsi.tape_alert import TapeAlert as Flag
from tapekey.target import cartridge, cleaning
from tapekey.target.cartridge import Cartridge, Kind
from tapekey.target.tray import Place
from tests.bench import Bench, made, powered
from tests.target.initiator import code


class Clock:
    """Time that the test moves."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def cleaner(directory: Path, *, uses: int = 0) -> Path:
    place = made(directory, "lto6", "CLN001", kind=Kind.CLEANING)
    with cartridge.Cartridge.open(place) as taken:
        taken.memory.keep(replace(taken.memory.account, loads=uses))
    return place


def dirty(directory: Path) -> tuple[Bench, Clock]:
    bench, clock = powered(directory, empty=True), Clock()
    bench.drive.clock = clock
    bench.drive.nexuses.raise_alert(Flag.CLEAN_NOW)
    return bench, clock


def flags(bench: Bench) -> frozenset[Flag]:
    return tape_alert.decode_tape_alert_response(bench.execute(tape_alert.look_at_tape_alerts()).data_in)


def uses(place: Path) -> int:
    with Cartridge.open(place) as taken:
        return taken.memory.account.loads


def test_drive_is_cleaned_and_pushes_the_cartridge_out(tmp_path: Path) -> None:
    bench, clock = dirty(tmp_path)
    place = cleaner(tmp_path)
    bench.insert(place)
    assert code(bench.execute(media.test_unit_ready())) == "2/30/03"
    assert flags(bench) == {Flag.CLEAN_NOW, Flag.CLEANING_MEDIA}

    clock.now = bench.drive.personality.cleaning_time

    assert code(bench.execute(media.test_unit_ready())) == "2/3A/00"
    assert bench.drive.place is Place.MOUTH
    assert flags(bench) == frozenset()
    assert bench.drive.activity.cleanings == 1
    bench.drive.take_out()
    assert uses(place) == 1


def test_device_status_says_that_it_cleans(tmp_path: Path) -> None:
    bench, _ = dirty(tmp_path)
    bench.insert(cleaner(tmp_path))

    status = decode_device_status(bench.execute(read_device_status()).data_in).status

    assert status is not None
    assert (status.activity, status.cleaning_requested, status.mounted) == (Activity.CLEANING, True, False)


def test_cartridge_that_is_used_up_cleans_nothing(tmp_path: Path) -> None:
    bench, clock = dirty(tmp_path)
    place = cleaner(tmp_path, uses=cleaning.CYCLES)
    bench.insert(place)

    clock.now = bench.drive.personality.cleaning_time

    assert code(bench.execute(media.test_unit_ready())) == "2/3A/00"
    assert {Flag.CLEAN_NOW, Flag.EXPIRED_CLEANING_MEDIA} <= flags(bench)
    assert bench.drive.activity.cleanings == 0
    bench.drive.take_out()
    assert uses(place) == cleaning.CYCLES


def test_cartridge_whose_chip_is_dead_cleans_nothing(tmp_path: Path) -> None:
    place = cleaner(tmp_path)
    (place / "memory").write_bytes(b"nothing")
    with Cartridge.open(place) as taken:
        assert not cleaning.use(taken, "IBM", "SERIAL")

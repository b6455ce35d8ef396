"""Log pages: device status, volume statistics after the volume has gone, alerts, capacities (reference 1.11, 11.4)."""

from pathlib import Path

import pytest

from tapekey.exchange import Command
from tapekey.scsi import device_status, log, media, volume_statistics
from tapekey.scsi.counter import Absent
from tapekey.scsi.device_status import MediumEncryption
from tapekey.scsi.encryption import DecryptionMode, EncryptionMode
from tapekey.scsi.log import LogPage
from tapekey.scsi.log_counters import TapeCapacity, decode_counters
from tapekey.scsi.volume_statistics import Statistic
from tests.bench import NAMES, Bench, made, powered
from tests.target.initiator import code, install, off, write

ENC, OFF, DEC = EncryptionMode.ENCRYPT, EncryptionMode.DISABLE, DecryptionMode.DECRYPT


def statistics(bench: Bench) -> volume_statistics.VolumeStatistics:
    data = bench.execute(volume_statistics.read_volume_statistics()).data_in
    return volume_statistics.decode_volume_statistics(data)


def device(bench: Bench) -> device_status.DeviceStatus:
    return device_status.decode_device_status(bench.execute(device_status.read_device_status()).data_in)


@pytest.mark.parametrize("name", NAMES)
def test_every_listed_page_is_there_and_no_other(tmp_path: Path, name: str) -> None:
    bench = powered(tmp_path, name)

    listed = log.decode_supported(bench.execute(log.log_sense(LogPage.SUPPORTED)).data_in)

    for number in range(0x40):
        answer = code(bench.execute(log.log_sense(LogPage(number))))
        assert answer == ("good" if number in listed else "5/24/00")


EXTENTS = {
    "nothing": ("", Absent.NONE, Absent.NONE),
    "clear only": ("c", Absent.NONE, Absent.NONE),
    "encrypted only": ("e", 0, Absent.NONE),
    "clear label, then encrypted": ("ce", 1, Absent.NONE),
    "clear behind encrypted": ("ceec", 1, 3),
}


@pytest.mark.parametrize("unloaded", [False, True], ids=["mounted", "unloaded"])
@pytest.mark.parametrize(("blocks", "encrypted", "clear"), EXTENTS.values(), ids=EXTENTS)
def test_extent_of_encryption_is_told_also_after_the_unload(
    tmp_path: Path, blocks: str, encrypted: int | Absent, clear: int | Absent, unloaded: bool
) -> None:
    bench = powered(tmp_path)
    for kind in blocks:
        install(bench, ENC if kind == "e" else OFF, DEC)
        assert write(bench, b"x") == "good"
    if unloaded:
        assert code(bench.execute(media.unload())) == "good"

    found = statistics(bench)

    assert found.valid
    assert found.by_partition(Statistic.FIRST_ENCRYPTED_OBJECT) == {0: encrypted}
    assert found.by_partition(Statistic.FIRST_CLEAR_OBJECT_AFTER) == {0: clear}
    assert found.barcode == "ENC001"
    assert found.volume_serial


def test_statistics_of_a_drive_that_never_saw_a_volume_are_not_valid(tmp_path: Path) -> None:
    assert not statistics(powered(tmp_path, empty=True)).valid


def test_statistics_are_the_last_mounted_volumes(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    bench.swap(made(tmp_path, "lto6", "NEXT"))

    assert statistics(bench).barcode == "NEXT"
    bench.drive.take_out()
    assert statistics(bench).barcode == "NEXT"


def test_device_status_follows_the_cartridge(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    seen = []
    for command in (media.test_unit_ready(), media.unload(), media.seat()):
        bench.execute(command)
        now = device(bench).status
        assert now is not None
        seen.append((now.memory_accessible, now.seated, now.threaded, now.mounted, now.in_transition))

    assert seen == [
        (True, True, True, True, False),
        (False, False, False, False, False),
        (True, True, False, False, False),
    ]


def test_device_status_of_a_loading_drive(tmp_path: Path) -> None:
    bench = powered(tmp_path, empty=True, load_time=30.0)
    bench.swap(made(tmp_path, "lto6"))

    now = device(bench).status

    assert now is not None
    assert (now.in_transition, now.mounted, now.activity) == (True, False, device_status.Activity.LOADING)


@pytest.mark.parametrize(("mode", "told"), [(None, False), (ENC, True), (OFF, False)])
def test_device_status_tells_that_parameters_stand(tmp_path: Path, mode: EncryptionMode | None, told: bool) -> None:
    bench = powered(tmp_path)
    if mode is not None:
        install(bench, ENC, DEC)
    if mode is OFF:
        off(bench)

    now = device(bench).status

    assert now is not None
    assert now.encryption_parameters_set is told


@pytest.mark.parametrize(
    ("blocks", "told"),
    [
        ("", MediumEncryption.UNKNOWN),
        ("e", MediumEncryption.ALL_ENCRYPTED),
        ("c", MediumEncryption.SOME_CLEAR),
        ("ec", MediumEncryption.SOME_CLEAR),
    ],
)
def test_ibm_says_what_is_on_the_medium(tmp_path: Path, blocks: str, told: MediumEncryption) -> None:
    bench = powered(tmp_path)
    for kind in blocks:
        install(bench, ENC if kind == "e" else OFF, DEC)
        assert write(bench, b"x") == "good"

    medium = device(bench).medium

    assert medium is not None
    assert medium.encryption is told
    assert medium.encryption_capable


def test_vendor_parameters_are_ibms_only(tmp_path: Path) -> None:
    assert device(powered(tmp_path, "hpe-lto6")).drive is None


def test_capacity_page(tmp_path: Path) -> None:
    found = decode_counters(
        powered(tmp_path).execute(log.log_sense(LogPage.TAPE_CAPACITY)).data_in, LogPage.TAPE_CAPACITY
    )

    assert found[TapeCapacity.MAXIMUM_0] == 64


REFUSED = {
    "saving": "4d 01 51 00 00 0000 0100 00",
    "default thresholds": "4d 00 91 00 00 0000 0100 00",
    "subpage": "4d 00 51 01 00 0000 0100 00",
    "pointer behind the last parameter": "4d 00 6e 00 00 0041 0100 00",
    "select with a list": "4c 00 40 00 00 0000 0004 00",
}


@pytest.mark.parametrize("cdb", REFUSED.values(), ids=REFUSED)
def test_refusal(tmp_path: Path, cdb: str) -> None:
    assert code(powered(tmp_path).execute(Command(bytes.fromhex(cdb), data_in_max=256))) == "5/24/00"


def test_parameter_pointer_starts_there(tmp_path: Path) -> None:
    data = powered(tmp_path).execute(log.log_sense(LogPage.VOLUME_STATISTICS, first=0x0200)).data_in

    assert min(item.code for item in log.decode_page(data, LogPage.VOLUME_STATISTICS).parameters) == 0x0200


def test_part_of_the_alert_page_clears_nothing(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    bench.drive.nexuses.raise_alert(0x3D)

    bench.execute(log.log_sense(LogPage.TAPE_ALERT, room=8))
    bench.execute(log.log_sense(LogPage.TAPE_ALERT, first=2))

    assert bench.drive.nexuses.get("host").tape_alerts == {0x3D}

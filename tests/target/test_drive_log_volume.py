"""Log pages 17h, 30h and 31h of a partitioned volume (reference 1.11, 11.4)."""

from pathlib import Path

from tapekey.exchange import Command
from tapekey.scsi import media, volume_statistics
from tapekey.scsi.encryption import DecryptionMode, EncryptionMode
from tapekey.scsi.log import ALL_SUBPAGES, LogPage, decode_supported_subpages, log_sense
from tapekey.scsi.log_counters import TapeCapacity, Usage, decode_counters
from tapekey.scsi.volume_statistics import Statistic
from tests.bench import Bench, made, powered
from tests.octets import octets
from tests.target.initiator import code, install, write

MEBIBYTE = 1 << 20
WHOLE = 64 * MEBIBYTE


def halves(directory: Path) -> Bench:
    bench = powered(directory)
    data = bytes(4) + octets("110a 0001 5c03 0000 0000 0000")
    assert code(bench.execute(Command(octets("15 10 00 00 10 00"), data))) == "good"
    assert code(bench.execute(media.format_medium(media.Format.PARTITION))) == "good"
    return bench


def test_each_partition_has_a_record(tmp_path: Path) -> None:
    bench = halves(tmp_path)
    assert write(bench, b"clear") == "good"
    assert code(bench.execute(media.locate(0, 1))) == "good"
    install(bench, EncryptionMode.ENCRYPT, DecryptionMode.DECRYPT)
    assert write(bench, b"secret") == "good"

    data = bench.execute(volume_statistics.read_volume_statistics()).data_in
    found = volume_statistics.decode_volume_statistics(data)

    assert found.by_partition(Statistic.PARTITION_CAPACITY) == {0: 33, 1: 33}
    assert found.by_partition(Statistic.FIRST_ENCRYPTED_OBJECT)[1] == 0
    assert found.by_partition(Statistic.FIRST_ENCRYPTED_OBJECT)[0] != 0
    assert found.numbers[Statistic.NATIVE_CAPACITY] == WHOLE // 10**6


def test_page_31h_has_both(tmp_path: Path) -> None:
    data = halves(tmp_path).execute(log_sense(LogPage.TAPE_CAPACITY)).data_in

    found = decode_counters(data, LogPage.TAPE_CAPACITY)

    assert found == dict.fromkeys(TapeCapacity, 32)


def test_usage_counts_mounts(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    assert code(bench.execute(media.unload())) == "good"
    assert code(bench.execute(media.load())) == "good"

    found = decode_counters(bench.execute(log_sense(LogPage.TAPE_USAGE)).data_in, LogPage.TAPE_USAGE)

    assert found[Usage.MOUNTS] == 2


def test_the_two_volumes_before_are_told_on_ibm(tmp_path: Path) -> None:
    bench = powered(tmp_path, empty=True)
    for barcode in ("FIRST", "SECOND", "THIRD"):
        bench.swap(made(tmp_path, "lto6", barcode))
        bench.settle()

    def barcodes() -> list[str | None]:
        found = []
        for subpage in (0, 1, 2):
            data = bench.execute(volume_statistics.read_volume_statistics(subpage)).data_in
            found.append(volume_statistics.decode_volume_statistics(data, subpage).barcode)
        return found

    assert barcodes() == ["THIRD", "SECOND", "FIRST"]
    bench.drive.take_out()
    assert barcodes() == ["THIRD", "SECOND", "FIRST"]
    assert code(bench.execute(volume_statistics.read_volume_statistics(3))) == "5/24/00"


def test_volume_before_the_first_is_not_valid_and_others_than_ibm_have_none(tmp_path: Path) -> None:
    data = powered(tmp_path).execute(volume_statistics.read_volume_statistics(1)).data_in
    assert not volume_statistics.decode_volume_statistics(data, 1).valid

    bench = powered(tmp_path / "hpe", "hpe-lto6")
    assert code(bench.execute(volume_statistics.read_volume_statistics(1))) == "5/24/00"


def test_subpages_are_listed(tmp_path: Path) -> None:
    data = powered(tmp_path).execute(log_sense(LogPage.SUPPORTED, ALL_SUBPAGES)).data_in

    found = decode_supported_subpages(data)

    assert [pair for pair in found if pair[0] is LogPage.VOLUME_STATISTICS] == [(0x17, 0), (0x17, 1), (0x17, 2)]

"""What ends with an initiator's session, and what stays (reference 1.8, 5.2, 6.4)."""

from pathlib import Path

from tapekey.scsi import media, reserve
from tapekey.scsi.encryption import DecryptionMode, EncryptionMode, Scope
from tapekey.scsi.reserve import OutAction
from tapekey.target import nexus_loss
from tests.bench import Bench, powered
from tests.target.initiator import code, install, status

ENC, DEC = EncryptionMode.ENCRYPT, DecryptionMode.DECRYPT


def two(directory: Path) -> tuple[Bench, Bench]:
    bench = powered(directory)
    return bench, bench.as_other()


def lose(bench: Bench) -> None:
    nexus_loss.lose(bench.drive, bench.initiator)


def test_reserve_and_prevent_end(tmp_path: Path) -> None:
    bench, other = two(tmp_path)
    assert code(other.execute(reserve.reserve())) == "good"
    assert code(other.execute(media.prevent_removal())) == "good"

    lose(other)

    assert code(bench.execute(media.unload())) == "good"
    assert code(other.execute(media.test_unit_ready())) == "6/29/07"


def test_persistent_reservation_stays(tmp_path: Path) -> None:
    bench, other = two(tmp_path)
    assert code(other.execute(reserve.persistent_out(OutAction.REGISTER, 0, 2))) == "good"
    assert code(other.execute(reserve.persistent_out(OutAction.RESERVE, 2))) == "good"

    lose(other)

    assert code(bench.execute(media.rewind())) == "conflict"
    assert code(other.execute(media.rewind())) == "6/29/07"
    assert code(other.execute(media.rewind())) == "good"


def test_local_key_goes_and_the_shared_one_stays(tmp_path: Path) -> None:
    bench, other = two(tmp_path)
    install(bench, ENC, DEC)
    install(other, ENC, DEC, scope=Scope.LOCAL)
    assert set(bench.drive.parameters.local) == {"other"}

    lose(other)

    assert not bench.drive.parameters.local
    assert status(bench).encryption is ENC


def test_key_bound_to_the_reservation_goes_with_it(tmp_path: Path) -> None:
    bench, other = two(tmp_path)
    assert code(other.execute(reserve.reserve())) == "good"
    install(other, ENC, DEC, ckorl=True)

    lose(other)
    bench.settle()

    assert status(bench).encryption is EncryptionMode.DISABLE


def test_nobody_is_nothing(tmp_path: Path) -> None:
    bench = powered(tmp_path)

    nexus_loss.lose(bench.drive, "nobody")

    assert code(bench.execute(media.test_unit_ready())) == "good"

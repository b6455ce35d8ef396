"""Sets of parameters among several nexuses: scopes, lock, counter, and what clears keys (reference 6.1 to 6.4)."""

from pathlib import Path

import pytest

from tapekey.scsi import media, reserve
from tapekey.scsi.encryption import DecryptionMode, EncryptionMode, Scope
from tapekey.scsi.reserve import OutAction
from tests.bench import Bench, powered
from tests.target.initiator import KEY, OTHER_KEY, code, install, off, parameters, read, rewind, status, write

OFF, ENC = EncryptionMode.DISABLE, EncryptionMode.ENCRYPT
D, DEC = DecryptionMode.DISABLE, DecryptionMode.DECRYPT


def pair(directory: Path, name: str = "ibm-lto6") -> tuple[Bench, Bench]:
    """One drive, two initiators, both registered for encryption attentions and with nothing pending."""
    bench = powered(directory, name)
    other = bench.as_other()
    status(bench)
    status(other)
    return bench, other


def test_all_is_used_by_every_public_nexus(tmp_path: Path) -> None:
    bench, other = pair(tmp_path)
    install(bench, ENC, DEC)
    assert write(bench, b"shared") == "good"
    rewind(bench)

    assert code(other.execute(media.test_unit_ready())) == "6/2A/11"
    assert read(other).data_in == b"shared"
    assert (status(other).nexus_scope, status(other).parameters_scope) == (Scope.PUBLIC, Scope.ALL)
    assert (status(bench).nexus_scope, status(bench).parameters_scope) == (Scope.ALL, Scope.ALL)


def test_local_is_used_by_its_nexus_only(tmp_path: Path) -> None:
    bench, other = pair(tmp_path)
    install(bench, ENC, DEC, scope=Scope.LOCAL)
    assert write(bench, b"private") == "good"
    rewind(bench)

    assert code(read(other)) == "7/74/01"
    assert status(other).encryption is OFF
    assert (status(bench).nexus_scope, status(bench).parameters_scope) == (Scope.LOCAL, Scope.LOCAL)


def test_local_set_survives_anothers_all(tmp_path: Path) -> None:
    bench, other = pair(tmp_path)
    install(bench, ENC, DEC, scope=Scope.LOCAL)
    install(other, ENC, DEC, key=OTHER_KEY)

    assert code(bench.execute(media.test_unit_ready())) == "good"
    assert status(bench).parameters_scope is Scope.LOCAL


def test_public_gives_the_local_set_up(tmp_path: Path) -> None:
    bench, other = pair(tmp_path)
    install(other, ENC, DEC)
    assert code(bench.execute(media.test_unit_ready())) == "6/2A/11"
    install(bench, ENC, DEC, scope=Scope.LOCAL, key=OTHER_KEY)

    install(bench, OFF, D, scope=Scope.PUBLIC, key=None)

    assert status(bench).key_instance_counter == status(other).key_instance_counter
    assert bench.drive.parameters.local == {}


def test_second_all_takes_the_place_of_the_first(tmp_path: Path) -> None:
    bench, other = pair(tmp_path)
    install(bench, ENC, DEC)
    other.settle()
    install(other, ENC, DEC, key=OTHER_KEY)

    assert code(bench.execute(media.test_unit_ready())) == "6/2A/11"
    assert status(bench).nexus_scope is Scope.PUBLIC
    assert status(bench).key_instance_counter == 2


def test_attention_is_told_once(tmp_path: Path) -> None:
    bench, other = pair(tmp_path)
    install(bench, ENC, DEC)
    install(bench, ENC, DEC)

    assert [code(other.execute(media.test_unit_ready())) for _ in range(2)] == ["6/2A/11", "good"]


def test_nexus_that_never_spoke_of_encryption_is_not_told(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    silent = bench.as_other()
    install(bench, ENC, DEC)

    assert code(silent.execute(media.test_unit_ready())) == "good"


def test_sender_is_not_told(tmp_path: Path) -> None:
    bench, _ = pair(tmp_path)
    install(bench, ENC, DEC)

    assert code(bench.execute(media.test_unit_ready())) == "good"


def test_counter_moves_with_every_change_and_not_with_public(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    seen = [status(bench).key_instance_counter]
    for command in (
        parameters(bench, ENC, DEC),
        parameters(bench, ENC, DEC),
        parameters(bench, OFF, D, key=None),
        parameters(bench, OFF, D, key=None, scope=Scope.PUBLIC),
    ):
        assert code(bench.execute(command)) == "good"
        seen.append(status(bench).key_instance_counter)

    assert seen == [0, 1, 2, 3, 3]


LOCKED = {
    "write": media.write_block(b"x"),
    "read": media.read_block(10),
    "verify": media.verify_blocks(10),
    "filemark": media.write_filemarks(1),
    "erase": media.erase(),
}


@pytest.mark.parametrize("what", LOCKED)
@pytest.mark.parametrize("name", ["ibm-lto6", "hpe-lto6"])
def test_lock_stops_media_access_once_the_counter_moved(tmp_path: Path, name: str, what: str) -> None:
    bench, other = pair(tmp_path, name)
    install(bench, ENC, DEC, lock=True)
    assert write(bench, b"mine") == "good"
    install(other.settle(), ENC, DEC, key=OTHER_KEY)
    assert code(bench.execute(media.test_unit_ready())) == "6/2A/11"

    answer = code(bench.execute(LOCKED[what]))

    if name.startswith("ibm") or what == "write":
        assert answer == "7/2A/13"
    else:
        assert answer != "7/2A/13"


def test_lock_ends_with_the_next_set(tmp_path: Path) -> None:
    bench, other = pair(tmp_path)
    install(bench, ENC, DEC, lock=True)
    install(other.settle(), ENC, DEC, key=OTHER_KEY)
    bench.settle()
    assert write(bench, b"x") == "7/2A/13"

    install(bench, ENC, DEC)

    assert write(bench, b"x") == "good"


def test_public_nexus_can_lock_the_shared_set(tmp_path: Path) -> None:
    bench, other = pair(tmp_path)
    install(other, ENC, DEC)
    bench.settle()
    install(bench, OFF, D, scope=Scope.PUBLIC, key=None, lock=True)
    assert write(bench, b"x") == "good"

    install(other, ENC, DEC, key=OTHER_KEY)
    bench.settle()

    assert write(bench, b"x") == "7/2A/13"


def test_motions_are_not_locked(tmp_path: Path) -> None:
    bench, other = pair(tmp_path)
    install(bench, ENC, DEC, lock=True)
    install(other.settle(), ENC, DEC)
    bench.settle()

    rewind(bench)


@pytest.mark.parametrize("ckod", [True, False])
def test_ckod_decides_what_an_unload_does_to_the_key(tmp_path: Path, ckod: bool) -> None:
    bench, other = pair(tmp_path)
    install(bench, ENC, DEC, ckod=ckod)
    other.settle()
    assert code(bench.execute(media.unload())) == "good"

    told = code(other.execute(media.test_unit_ready()))

    assert told == ("6/2A/12" if ckod else "2/3A/00")
    assert bench.drive.parameters.shared.encryption is (OFF if ckod else ENC)
    assert (bench.drive.parameters.shared.key is None) is ckod


def test_key_without_ckod_applies_to_the_next_cartridge(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    install(bench, ENC, DEC)
    assert code(bench.execute(media.unload())) == "good"
    assert code(bench.execute(media.load())) == "good"

    assert write(bench, b"x") == "good"
    assert status(bench).vcelb


def test_lock_notices_that_ckod_cleared_the_key(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    install(bench, ENC, DEC, ckod=True, lock=True)
    assert code(bench.execute(media.unload())) == "good"
    assert code(bench.execute(media.load())) == "6/2A/12"
    assert code(bench.execute(media.load())) == "good"

    assert write(bench, b"x") == "7/2A/13"


def test_ckorl_clears_at_release(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    assert code(bench.execute(reserve.reserve())) == "good"
    install(bench, ENC, DEC, ckorl=True)
    assert status(bench).encryption is ENC

    assert code(bench.execute(reserve.release())) == "good"

    assert code(bench.execute(media.test_unit_ready())) == "6/2A/12"
    assert status(bench).encryption is OFF


def registered(bench: Bench, key: int) -> None:
    assert code(bench.execute(reserve.persistent_out(OutAction.REGISTER, action_key=key))) == "good"


PREEMPTED = [({"ckorp": True}, True), ({"ckorl": True}, True), ({}, False)]


@pytest.mark.parametrize(("fields", "cleared"), PREEMPTED, ids=str)
def test_preempt_clears_as_ckorp_and_ckorl_say(tmp_path: Path, fields: dict[str, bool], cleared: bool) -> None:
    bench, other = pair(tmp_path)
    registered(bench, 1)
    registered(other, 2)
    assert code(bench.execute(reserve.persistent_out(OutAction.RESERVE, key=1))) == "good"
    install(bench, ENC, DEC, **fields)
    other.settle()

    assert code(other.execute(reserve.persistent_out(OutAction.PREEMPT, key=2, action_key=1))) == "good"

    assert (bench.drive.parameters.shared.encryption is OFF) is cleared


def test_release_does_not_clear_what_only_preempt_shall(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    registered(bench, 1)
    assert code(bench.execute(reserve.persistent_out(OutAction.RESERVE, key=1))) == "good"
    install(bench, ENC, DEC, ckorp=True)

    assert code(bench.execute(reserve.persistent_out(OutAction.RELEASE, key=1))) == "good"

    assert status(bench).encryption is ENC


@pytest.mark.parametrize("how", ["off", "another key", "demount", "wipe"])
def test_key_is_wiped_when_its_set_goes(tmp_path: Path, how: str) -> None:
    bench = powered(tmp_path)
    install(bench, ENC, DEC, ckod=True)
    assert write(bench, b"x") == "good"
    key = bench.drive.parameters.shared.key
    assert key is not None
    assert bytes(key.reveal()) == KEY

    if how == "off":
        off(bench)
    elif how == "another key":
        install(bench, ENC, DEC, key=OTHER_KEY)
    elif how == "demount":
        assert code(bench.execute(media.unload())) == "good"
    else:
        bench.drive.parameters.wipe()

    with pytest.raises(ValueError, match="wiped"):
        key.reveal()

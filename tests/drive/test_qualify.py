"""Trials on virtual drives of several makes: each answers as its personality is, and is left as it was."""

from pathlib import Path

import pytest

from tapekey import errors
from tapekey.drive import guard, load, modes, parameters
from tapekey.drive.abilities import abilities
from tapekey.drive.qualification import Answer, Qualification, Result, Trial
from tapekey.drive.qualify import qualify
from tapekey.exchange import Command, Reply, Transport
from tapekey.scsi import media
from tapekey.scsi.codes import Opcode
from tapekey.scsi.encryption import DecryptionMode, EncryptionMode
from tapekey.secret import Secret
from tapekey.target.medium_index import NONE
from tapekey.target.personality import Management
from tests.bench import Bench, made, powered
from tests.waist import Meddling, by_opcode, refused

YES, NO, NOT_TRIED, ERROR = Answer.YES, Answer.NO, Answer.NOT_TRIED, Answer.ERROR

# fmt: off
ANSWERS: dict[str, dict[Trial, tuple[Answer, str]]] = {
    "ibm-lto6": {
        Trial.GUARD: (YES, ""), Trial.GUARD_REFUSES: (YES, "7/74/00"), Trial.GUARD_SAVED: (YES, ""),
        Trial.PARKS: (YES, ""), Trial.PARKED_STAYS: (YES, ""), Trial.PARKED_ENCRYPTS: (YES, "no key"),
        Trial.KEY_GOES: (YES, ""), Trial.LOCK_PASSES: (NO, "read was refused (7/2A/13)"),
        Trial.EXEMPT: (YES, "6/2A/12 was left standing"),
        Trial.MEMORY: (YES, "1400h"), Trial.MEMORY_KEPT: (YES, ""),
    },
    "hpe-lto6": {
        Trial.GUARD: (NO, ""), Trial.GUARD_REFUSES: (NOT_TRIED, "there is no guard to set"),
        Trial.GUARD_SAVED: (NOT_TRIED, "there is no guard to set"),
        Trial.PARKS: (YES, ""), Trial.PARKED_STAYS: (YES, ""), Trial.PARKED_ENCRYPTS: (YES, "no key"),
        Trial.KEY_GOES: (YES, ""), Trial.LOCK_PASSES: (NO, "write was refused (7/2A/13)"),
        Trial.EXEMPT: (NO, "it took 6/2A/12"),
        Trial.MEMORY: (YES, "1400h"), Trial.MEMORY_KEPT: (YES, ""),
    },
}
# fmt: on


class Mains:
    """Switches the drive off and on: saved modes are kept, keys are not."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench

    def __call__(self) -> Transport:
        self.bench.drive.reset()
        return self.bench


def serial_of(bench: Bench) -> str:
    assert bench.drive.cartridge is not None
    return bench.drive.cartridge.identity.serial


def full(bench: Bench, over: Transport | None = None) -> Qualification:
    return qualify(over or bench, scratch=serial_of(bench), power_cycle=None if over else Mains(bench))


def answers(found: Qualification) -> dict[Trial, tuple[Answer, str]]:
    return {each.trial: (each.answer, each.told) for each in found.results}


def answer(found: Qualification, trial: Trial) -> Result:
    return next(each for each in found.results if each.trial is trial)


@pytest.mark.parametrize("name", ANSWERS)
def test_a_drive_answers_as_it_is_made(name: str, tmp_path: Path) -> None:
    assert answers(full(powered(tmp_path, name))) == ANSWERS[name]


@pytest.mark.parametrize("name", ["ibm-lto4", "ibm-lto9", "quantum-lto4", "oracle-t10000c"])
def test_every_drive_has_an_answer_to_every_trial(name: str, tmp_path: Path) -> None:
    found = full(powered(tmp_path, name))
    assert [each.trial for each in found.results] == list(Trial)
    assert ERROR not in {each.answer for each in found.results}


@pytest.mark.parametrize("closed", [False, True])
@pytest.mark.parametrize("name", ["ibm-lto6", "ibm-lto9"])
def test_the_drive_is_left_as_it_was(name: str, closed: bool, tmp_path: Path) -> None:
    bench = powered(tmp_path, name)
    if closed:
        guard.close(bench)
    before = guard.look(bench)
    full(bench)
    load.presence(bench)
    assert guard.look(bench) == before
    assert modes.in_force(parameters.status(bench)) == modes.OFF
    assert bench.drive.nexuses.get("host").locked_at is None


def test_the_cartridge_is_left_mounted_and_blank_with_nothing_of_ours_in_its_memory(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    held = bench.drive.cartridge
    assert held is not None
    full(bench)
    assert bench.drive.mounted
    assert bench.drive.tape.first_encrypted == NONE
    assert not [each for each in held.attributes() if 0x1400 <= each.id <= 0x17FF]
    assert bench.settle().execute(media.read_block(4096)).sense[2] & 0x0F == 8  # blank check


def test_an_empty_drive_is_tried_as_far_as_that_goes(tmp_path: Path) -> None:
    bench = powered(tmp_path, empty=True)
    found = qualify(bench, power_cycle=Mains(bench))
    told = {each.trial for each in found.results if each.answer is not NOT_TRIED}
    assert told == {Trial.GUARD, Trial.GUARD_SAVED, Trial.PARKS, Trial.EXEMPT}
    assert answer(found, Trial.MEMORY).told == "it takes a scratch cartridge"
    assert modes.in_force(parameters.status(bench.settle())) == modes.OFF


def test_without_power_cycle_the_saved_guard_is_not_tried(tmp_path: Path) -> None:
    found = qualify(powered(tmp_path, empty=True))
    assert answer(found, Trial.GUARD_SAVED) == Result(Trial.GUARD_SAVED, NOT_TRIED, "the power was not taken away")


def test_the_results_name_the_firmware(tmp_path: Path) -> None:
    assert qualify(powered(tmp_path, empty=True)).drive.revision == "G350"


# --- drives that do worse ---


def forgetting(bench: Bench) -> Mains:
    class Forgetful(Mains):
        def __call__(self) -> Transport:
            self.bench.drive.modes.saved.clear()
            return super().__call__()

    return Forgetful(bench)


def test_a_guard_that_the_power_takes_away_is_found(tmp_path: Path) -> None:
    bench = powered(tmp_path, empty=True)
    found = qualify(bench, power_cycle=forgetting(bench))
    assert answer(found, Trial.GUARD_SAVED).answer is NO


def test_a_drive_that_takes_no_key_when_empty_is_found(tmp_path: Path) -> None:
    bench = powered(tmp_path, empty=True)
    deaf = Meddling(bench, by_opcode(Opcode.SECURITY_PROTOCOL_OUT), instead=refused("5/2C/00"), times=1)
    found = answer(qualify(deaf), Trial.PARKS)
    assert found.answer is NO
    assert "5/2C/00" in found.told


def test_a_parked_key_that_the_load_drops_is_found(tmp_path: Path) -> None:
    bench = powered(tmp_path)

    class Dropping:
        def execute(self, command: Command) -> Reply:
            if command.cdb[0] == Opcode.LOAD_UNLOAD and command.cdb[4] & 1:
                bench.drive.parameters.wipe()
            return bench.execute(command)

    found = full(bench, Dropping())
    assert answer(found, Trial.PARKED_STAYS).answer is NO
    assert answer(found, Trial.PARKED_ENCRYPTS).answer is NO


def test_a_memory_range_that_is_refused_is_found(tmp_path: Path) -> None:
    found = full(powered(tmp_path, mam_vendor_range=False))
    assert answer(found, Trial.MEMORY).answer is NO
    assert "5/26" in answer(found, Trial.MEMORY).told
    assert answer(found, Trial.MEMORY_KEPT).answer is NOT_TRIED


def test_a_guard_that_lets_clear_writes_through_is_found(tmp_path: Path) -> None:
    bench = powered(tmp_path)

    class Leaky:
        def execute(self, command: Command) -> Reply:
            if command.cdb[0] in (Opcode.WRITE_6, Opcode.WRITE_FILEMARKS_6):
                return Reply(0)
            return bench.execute(command)

    assert answer(full(bench, Leaky()), Trial.GUARD_REFUSES).answer is NO


def test_a_write_protected_cartridge_says_nothing_of_the_guard(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    protected = Meddling(bench, by_opcode(Opcode.WRITE_6), instead=refused("7/27/00"))
    found = full(bench, protected)
    assert answer(found, Trial.GUARD_REFUSES).answer is ERROR
    assert "7/27/00" in answer(found, Trial.GUARD_REFUSES).told


@pytest.mark.parametrize("opcode", [Opcode.WRITE_ATTRIBUTE, Opcode.LOG_SENSE, Opcode.LOCATE_10, Opcode.READ_6])
def test_a_failure_is_an_error_and_neither_yes_nor_no(opcode: Opcode, tmp_path: Path) -> None:
    bench = powered(tmp_path)
    failing = Meddling(bench, by_opcode(opcode), instead=refused("4/44/00"), times=1)
    found = full(bench, failing)
    assert ERROR in {each.answer for each in found.results}
    assert any("4/44/00" in each.told for each in found.results if each.answer is ERROR)


# --- what is refused ---


def test_a_cartridge_that_was_not_named_is_not_written(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    with pytest.raises(errors.Refused, match="there is a cartridge in it"):
        qualify(bench)
    with pytest.raises(errors.Refused, match="not OTHER"):
        qualify(bench, scratch="OTHER")
    writing = {Opcode.WRITE_6, Opcode.WRITE_ATTRIBUTE, Opcode.SECURITY_PROTOCOL_OUT, Opcode.MODE_SELECT_10}
    assert not writing & {Opcode(command.cdb[0]) for command in bench.commands}


def test_a_scratch_cartridge_that_is_not_there_is_missed(tmp_path: Path) -> None:
    with pytest.raises(errors.Refused, match="it is empty"):
        qualify(powered(tmp_path, empty=True), scratch="ANY")


def test_somebodys_key_is_left_alone(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    both = {"encryption": EncryptionMode.ENCRYPT, "decryption": DecryptionMode.DECRYPT}
    parameters.set_key(bench, abilities(bench), **both, plain=Secret(bytes(32)))  # type: ignore[arg-type]
    with pytest.raises(errors.Refused, match="encryption parameters are set"):
        full(bench)
    assert parameters.status(bench).encryption == EncryptionMode.ENCRYPT


@pytest.mark.parametrize("management", ["LIBRARY", "DISABLED", "NONE"])
def test_a_drive_that_is_not_ours_to_set_is_not_tried(management: str, tmp_path: Path) -> None:
    with pytest.raises(errors.Refused, match="cannot be qualified"):
        qualify(powered(tmp_path, empty=True, management=Management[management]))


def test_another_drive_after_the_power_cycle_is_noticed(tmp_path: Path) -> None:
    bench = powered(tmp_path, empty=True)
    other = powered(tmp_path, empty=True)
    other.drive.serial = "OTHER"
    with pytest.raises(errors.TapekeyError, match="did not come back|not as it was"):
        qualify(bench, power_cycle=lambda: other)


def test_a_key_that_cannot_be_taken_out_is_an_alarm(tmp_path: Path) -> None:
    bench = powered(tmp_path, empty=True)
    stuck = Meddling(bench, by_opcode(Opcode.SECURITY_PROTOCOL_OUT), instead=refused("4/44/00"), after=1)
    with pytest.raises(errors.Refused, match="not as it was") as caught:
        qualify(stuck)
    assert caught.value.alarm


def test_an_interruption_puts_everything_back(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    guard.close(bench)

    class Interrupted:
        def execute(self, command: Command) -> Reply:
            if command.cdb[0] == Opcode.LOAD_UNLOAD and modes.in_force(parameters.status(bench)) != modes.OFF:
                raise KeyboardInterrupt
            return bench.execute(command)

    with pytest.raises((KeyboardInterrupt, errors.TapekeyError)):
        full(bench, Interrupted())
    load.presence(bench)
    assert modes.in_force(parameters.status(bench)) == modes.OFF
    assert guard.look(bench).closed


def test_keys_travel_as_secrets(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    full(bench)
    sent = [command for command in bench.commands if command.cdb[0] == Opcode.SECURITY_PROTOCOL_OUT]
    assert sent
    assert all(not isinstance(command.data_out, bytes) for command in sent)


def test_another_cartridge_of_the_same_make_is_not_mistaken(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    named = serial_of(bench)
    bench.swap(made(tmp_path, "lto6", "OTHER1"))
    bench.settle()
    with pytest.raises(errors.Refused, match=f"not {named}"):
        qualify(bench, scratch=named)

"""Loading and unloading: what TEST UNIT READY means is in the reference, 1.3 and 5.3; trap 7 is about attentions."""

from dataclasses import dataclass, field

import pytest

from tapekey import errors
from tapekey.drive import load
from tapekey.drive.load import Observed, Patience, Presence
from tapekey.exchange import Reply
from tapekey.scsi.codes import Opcode
from tests.waist import good, refused, scripted


@dataclass
class Clock:
    """Time that passes only by sleeping."""

    now: float = 0.0
    slept: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def patience(clock: Clock, seconds: float = 10.0) -> Patience:
    return Patience(seconds=seconds, pause=2.0, clock=lambda: clock.now, sleep=clock.sleep)


ANSWERS = {
    "mounted": (good(), Presence.MOUNTED),
    "becoming ready": (refused("2/04/01"), Presence.LOADING),
    "needs load": (refused("2/04/02"), Presence.UNLOADED),
    "cleaning": (refused("2/30/03"), Presence.CLEANING),
    "empty": (refused("2/3A/00"), Presence.EMPTY),
    "memory only": (refused("2/3A/04"), Presence.UNLOADED),
}


@pytest.mark.parametrize(("reply", "found"), ANSWERS.values(), ids=ANSWERS)
def test_presence_is_what_the_drive_says(reply: Reply, found: Presence) -> None:
    assert load.presence(scripted(reply)) == Observed(found)


@pytest.mark.parametrize("code", ["2/04/12", "3/04/10", "4/44/00", "5/20/00", "B/47/00"])
def test_any_other_answer_is_an_error_and_no_presence(code: str) -> None:
    with pytest.raises(errors.DeviceError) as caught:
        load.presence(scripted(refused(code)))
    assert caught.value.code == code


def test_attentions_before_a_failure_are_not_lost() -> None:
    found = load.presence(scripted(refused("6/29/00"), refused("6/2A/12"), refused("2/3A/00")))
    assert found == Observed(Presence.EMPTY, ("6/29/00", "6/2A/12"))


def test_a_drive_that_never_settles_is_given_up() -> None:
    with pytest.raises(errors.StateChanged):
        load.presence(scripted(*[refused("6/28/00")] * 20))


def test_ready_waits_while_it_loads_and_tells_every_attention() -> None:
    clock = Clock()
    transport = scripted(refused("6/29/00"), refused("2/04/01"), refused("2/04/01"), refused("6/28/00"), good())
    found = load.ready(transport, patience(clock))
    assert found == Observed(Presence.MOUNTED, ("6/29/00", "6/28/00"))
    assert clock.slept == [2.0, 2.0]


def test_ready_gives_up_when_patience_ends() -> None:
    clock = Clock()
    with pytest.raises(errors.NotReady, match="becoming ready"):
        load.ready(scripted(*[refused("2/04/01")] * 50), patience(clock))
    assert clock.now == 10.0


NOT_MOUNTED = {
    "2/3A/00": errors.NoCartridge,
    "2/04/02": errors.NotReady,
    "2/30/03": errors.NotReady,
}


@pytest.mark.parametrize(("code", "kind"), NOT_MOUNTED.items(), ids=NOT_MOUNTED)
def test_ready_does_not_wait_for_what_will_not_come(code: str, kind: type[errors.DeviceError]) -> None:
    clock = Clock()
    with pytest.raises(errors.DeviceError) as caught:
        load.ready(scripted(refused(code)), patience(clock))
    assert type(caught.value) is kind
    assert clock.slept == []


def test_load_sends_no_load_to_a_mounted_cartridge() -> None:
    transport = scripted(good(), good())
    load.load(transport, patience(Clock()))
    assert Opcode.LOAD_UNLOAD not in transport.opcodes


def test_load_loads_what_is_seated() -> None:
    transport = scripted(refused("2/04/02"), good(), refused("2/04/01"), good())
    assert load.load(transport, patience(Clock())).presence == Presence.MOUNTED
    assert transport.opcodes[1] == Opcode.LOAD_UNLOAD


def test_attentions_met_while_loading_are_told() -> None:
    transport = scripted(refused("2/3A/00"), refused("6/28/00"), good(), refused("6/2A/12"), good())
    found = load.load(transport, patience(Clock()))
    assert found == Observed(Presence.MOUNTED, ("6/28/00", "6/2A/12"))


def test_load_of_an_empty_drive_is_no_cartridge() -> None:
    with pytest.raises(errors.NoCartridge):
        load.load(scripted(refused("2/3A/00"), refused("5/2C/00")), patience(Clock()))


def test_load_failure_of_a_seated_cartridge_is_that_failure() -> None:
    with pytest.raises(errors.MediumFailed):
        load.load(scripted(refused("2/04/02"), refused("3/30/00")), patience(Clock()))


@pytest.mark.parametrize("after", ["2/3A/00", "2/3A/04", "2/04/02"])
def test_unload_is_confirmed(after: str) -> None:
    load.unload(scripted(good(), refused(after)), patience(Clock()))


def test_unload_that_is_prevented_has_its_own_type() -> None:
    transport = scripted(refused("5/53/02"))
    with pytest.raises(errors.RemovalPrevented):
        load.unload(transport, patience(Clock()))
    assert len(transport.commands) == 1


def test_unload_does_not_act_on_a_cartridge_that_came_meanwhile() -> None:
    transport = scripted(refused("6/28/00"), good(), refused("2/3A/00"))
    with pytest.raises(errors.StateChanged):
        load.unload(transport, patience(Clock()))
    assert len(transport.commands) == 1


def test_a_drive_that_takes_the_unload_and_stays_mounted_lied() -> None:
    with pytest.raises(errors.DriveLied, match="mounted"):
        load.unload(scripted(*[good()] * 20), patience(Clock()))


@pytest.mark.parametrize("code", ["4/44/00", "B/47/00", "2/04/12"])
def test_a_failure_after_the_unload_confirms_nothing(code: str) -> None:
    with pytest.raises(errors.DeviceError) as caught:
        load.unload(scripted(good(), refused(code)), patience(Clock()))
    assert caught.value.code == code

"""Drives that are not ready yet, give a command up, or never answer: each is told as what it is."""

import time

import pytest

from tapekey.drive import abilities, identity, load
from tapekey.drive.abilities import Management
from tapekey.drive.load import Patience, Presence
from tapekey.errors import CommandAborted, NotReady, StateChanged, TimedOut
from tapekey.scsi import media
from tapekey.scsi.run import run
from tapekey.transport import sgio
from tests.kernel.cases import simulated
from tests.kernel.cases.simulated import Hasty

LATE = 8000  # milliseconds from loading the module to readiness
SOON = Patience(seconds=30.0, pause=0.2)


def test_drive_that_becomes_ready_is_waited_for() -> None:
    (node,) = simulated.load(tur_ms_to_ready=LATE)
    with sgio.open_device(node.path) as device:
        assert load.presence(device).presence is Presence.LOADING
        with pytest.raises(NotReady) as refusal:
            run(device, media.test_unit_ready())
        assert refusal.value.code == "2/04/01"
        assert load.ready(device, SOON).presence is Presence.MOUNTED


def test_drive_that_is_not_ready_is_opened_at_once() -> None:
    (node,) = simulated.load(tur_ms_to_ready=LATE)
    started = time.monotonic()
    with sgio.open_device(node.path) as device:
        identity.identify(device)
    assert time.monotonic() - started < 2.0


def test_aborted_command_is_neither_an_answer_nor_a_failure_of_the_drive() -> None:
    (node,) = simulated.load()
    with simulated.opened(node) as (device,):
        with simulated.every_command(simulated.TRANSPORT_ERROR), pytest.raises(CommandAborted):
            run(device, media.test_unit_ready())
        run(device, media.test_unit_ready(), through_attention=2)


def test_command_without_an_answer_times_out() -> None:
    (node,) = simulated.load()
    with simulated.opened(node) as (device,):
        with simulated.every_command(simulated.TIME_OUT), pytest.raises(TimedOut):
            run(Hasty(device), media.test_unit_ready())
        simulated.calm(device)
        assert abilities.abilities(device).management is Management.NONE


def test_drive_that_stops_answering_while_it_is_asked_is_not_judged() -> None:
    (node,) = simulated.load()
    failed = pytest.raises(TimedOut)
    with simulated.opened(node) as (device,), simulated.every_command(simulated.TIME_OUT), failed:
        abilities.abilities(Hasty(device))


def test_attention_after_a_reset_is_not_an_answer() -> None:
    (node,) = simulated.load()
    with simulated.opened(node) as (device,):
        simulated.reset(node)
        with pytest.raises(StateChanged) as attention:
            abilities.abilities(device)
    assert attention.value.code.startswith("6/29/")

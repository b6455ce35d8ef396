"""Exit statuses: every error has one, every row is reached, and no two meanings share a number by accident."""

import inspect
from collections import defaultdict

import pytest

from tapekey import errors
from tapekey.cli import exit_status
from tapekey.cli.exit_status import ALARM, OTHERS, STATUSES, status_of
from tapekey.errors import DeviceError, Refused, TapekeyError

CLASSES = [one for _, one in inspect.getmembers(errors, inspect.isclass) if issubclass(one, TapekeyError)]

# sg3_utils(8), EXIT STATUS: what its programs and the scripts around them mean by these numbers.
SG3_UTILS: dict[type[TapekeyError], int] = {
    errors.Usage: 1,
    errors.NotReady: 2,
    errors.NoCartridge: 2,
    errors.MediumFailed: 3,
    errors.HardwareFailed: 3,
    errors.EndOfData: 3,
    errors.RequestRefused: 5,
    errors.StateChanged: 6,
    errors.DataProtected: 7,
    errors.WriteProtected: 7,
    errors.WrongKey: 7,
    errors.OpcodeUnknown: 9,
    errors.CommandAborted: 11,
    errors.TransportFailed: 15,
    errors.ReservationConflict: 24,
    errors.DeviceBusy: 26,
    errors.TimedOut: 33,
    errors.Malformed: 97,
    errors.DeviceError: 98,
    errors.TapekeyError: 99,
}


@pytest.mark.parametrize("kind", STATUSES, ids=lambda kind: kind.__name__)
def test_every_row_is_reached_by_its_own_class(kind: type[TapekeyError]) -> None:
    assert status_of(kind("it failed")) == STATUSES[kind].status


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_every_error_has_the_status_of_its_nearest_row(kind: type[TapekeyError]) -> None:
    nearest = next(STATUSES[base] for base in kind.__mro__ if base in STATUSES)
    assert status_of(kind("it failed")) == nearest.status


@pytest.mark.parametrize("kind", SG3_UTILS, ids=lambda kind: kind.__name__)
def test_what_a_drive_said_has_the_number_of_sg3_utils(kind: type[TapekeyError]) -> None:
    assert status_of(kind("it failed")) == SG3_UTILS[kind]


def test_alarm_has_a_status_of_its_own() -> None:
    assert status_of(Refused("no", alarm=True)) == ALARM.status == 101
    assert status_of(Refused("no")) == 100


def test_own_statuses_are_100_to_125() -> None:
    own = {meaning.status for kind, meaning in STATUSES.items() if kind not in SG3_UTILS} | {ALARM.status}
    assert all(100 <= status < exit_status.BUG for status in own)
    assert len(own) == 1 + len([kind for kind in STATUSES if kind not in SG3_UTILS])
    assert exit_status.BUG == 125


def test_every_status_has_words_that_end_without_a_stop() -> None:
    texts = defaultdict(list)
    for meaning in (*STATUSES.values(), *OTHERS):
        assert meaning.text
        assert not meaning.text.endswith(".")
        texts[meaning.text].append(meaning.status)
    assert all(len(statuses) == 1 for statuses in texts.values())


def test_sense_code_does_not_change_the_status() -> None:
    assert status_of(DeviceError("it failed", code="7/74/03")) == 98

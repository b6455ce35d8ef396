"""Alarms are kept for whoever asks, counted, and told to the command: of all drives, from any thread."""

import logging

import pytest

from tapekey.service import alarms
from tapekey.service.alarms import COUNTED, KEPT, Alarms
from tapekey.service.alerting import Alarm

FULL = Alarm("its key is gone", 1.0, "DRIVE1", "CART", "ENC001L6", cause="6/29/00")

# fmt: off
LINES = {
    "all of it":    (FULL, "drive DRIVE1, cartridge ENC001L6: its key is gone: 6/29/00"),
    "no label":     (Alarm("lost", 1.0, "D", "CART"), "drive D, cartridge CART: lost"),
    "no cartridge": (Alarm("lost", 1.0, "D", cause="why"), "drive D: lost: why"),
}
# fmt: on


@pytest.mark.parametrize(("alarm", "line"), LINES.values(), ids=LINES)
def test_an_alarm_names_drive_cartridge_and_cause_in_one_line(
    alarm: Alarm, line: str, caplog: pytest.LogCaptureFixture
) -> None:
    kept = Alarms()
    kept.ring(alarm)
    assert kept.recent() == (line,)
    (record,) = caplog.records
    assert (record.getMessage(), record.levelno) == (line, logging.ERROR)


def test_each_alarm_is_told_as_it_was_raised() -> None:
    told: list[Alarm] = []
    Alarms(told.append).ring(FULL)
    assert told == [FULL]


def test_the_newest_are_kept_and_all_are_counted() -> None:
    kept = Alarms()
    for number in range(KEPT + 5):
        kept.ring(Alarm(f"alarm {number}", 1.0, "D"))
    assert len(kept.recent()) == KEPT
    assert kept.recent()[-1].endswith(f"alarm {KEPT + 4}")
    assert kept.recent()[0].endswith("alarm 5")
    assert dict(kept.counts())["alarms"] == KEPT + 5


def test_what_never_happened_is_counted_as_none_and_is_not_left_out() -> None:
    kept = Alarms()
    kept.count("adopted")
    assert dict(kept.counts()) == {**dict.fromkeys(COUNTED, 0), "adopted": 1}
    assert [name for name, _ in kept.counts()] == sorted(COUNTED)


def test_an_alarm_is_marked_for_the_journal(caplog: pytest.LogCaptureFixture) -> None:
    Alarms().ring(FULL)
    (record,) = caplog.records
    assert record.name == alarms.__name__
    assert "ENC001L6" in str(vars(record))

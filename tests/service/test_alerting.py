import json
import logging
import sys
import time
from pathlib import Path

import pytest

from tapekey.service import alerting
from tapekey.service.alerting import Alarm, Alerts

ALARM = Alarm("clear data was written", 1.5, drive="HU1", volser="$(touch x)`id`;\nrm", cause="a lost race")
TELLS = (
    "import json, os, sys; json.dump([sys.argv[2:], dict(os.environ), json.load(sys.stdin)], open(sys.argv[1], 'w'))"
)


def test_the_command_is_told_the_facts_and_no_shell_reads_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAPEKEY_ISCSI_CHAP_FILE", "/secret")
    out = tmp_path / "out"
    assert alerting.run([sys.executable, "-c", TELLS, str(out), "$HOME"], ALARM, 20) == 0
    arguments, environment, facts = json.loads(out.read_text())
    assert arguments == ["$HOME"]
    assert (environment["TAPEKEY_VOLSER"], environment["TAPEKEY_CAUSE"]) == (ALARM.volser, "a lost race")
    assert "TAPEKEY_ISCSI_CHAP_FILE" not in environment
    assert facts["schema"] == "tapekey.alarm/1"
    assert (facts["what"], facts["at"], facts["volser"]) == (ALARM.what, 1.5, ALARM.volser)


def test_a_command_that_does_not_end_is_ended_with_what_it_started(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    pid = tmp_path / "pid"
    began = time.monotonic()
    assert alerting.run(["/bin/sh", "-c", f"sleep 60 & echo $! > {pid}; wait"], ALARM, 0.3) is None
    assert time.monotonic() - began < 10
    assert "was ended" in caplog.text
    status = Path(f"/proc/{int(pid.read_text())}/stat")
    assert not status.exists() or status.read_text().split()[2] == "Z"


@pytest.mark.parametrize(("command", "said"), [(["/no/such/program"], "did not start"), (["false"], "status 1")])
def test_a_command_that_fails_is_logged(command: list[str], said: str, caplog: pytest.LogCaptureFixture) -> None:
    alerting.run(command, ALARM, 20)
    assert said in caplog.text


def test_telling_never_waits_and_says_what_it_dropped(caplog: pytest.LogCaptureFixture) -> None:
    alerts = Alerts(["true"])  # and nobody works
    told = [alerts.tell(ALARM) for _ in range(alerting.MOST_WAITING + 1)]
    assert told == [True] * alerting.MOST_WAITING + [False]
    assert "was not told" in caplog.text


def test_without_a_command_nothing_is_kept() -> None:
    alerts = Alerts([])
    assert all(alerts.tell(ALARM) for _ in range(1000))


def test_each_alarm_is_told_in_order_and_leaving_waits_for_the_run(tmp_path: Path) -> None:
    out = tmp_path / "out"
    command = ["/bin/sh", "-c", 'echo "$TAPEKEY_WHAT" >> "$0"', str(out)]
    with alerting.alerting(command) as alerts:
        for number in range(3):
            alerts.tell(Alarm(f"number {number}", 0.0))
        deadline = time.monotonic() + 20
        while (not out.exists() or len(out.read_text().splitlines()) < 3) and time.monotonic() < deadline:
            time.sleep(0.01)
    assert out.read_text().splitlines() == ["number 0", "number 1", "number 2"]


def test_a_failure_does_not_end_the_next(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL)
    alerts = Alerts(["/no/such/program"])
    alerts.tell(ALARM)
    alerts.tell(ALARM)
    alerts._waiting.put(None)
    alerts.work()
    assert alerts._waiting.empty()

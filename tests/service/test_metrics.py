import urllib.request
from dataclasses import replace
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tapekey.errors import Usage
from tapekey.service import metrics
from tapekey.service.view import AgentView, DriveView, State, Timing

DRIVE = DriveView(
    "HU1",
    "/dev/sg3",
    state=State.READY_TO_WRITE,
    since=100.0,
    guards=("drive", "watched"),
    cartridge="CM0123456789",
    volser='ENC"001\nL6',
    generation=4,
    key="00112233445566778899aabbccddeeff",
    counter=9,
    encrypted=True,
    prognosis=("it is dirty",),
    timing=Timing(ready=1500.0, scsi=1400.0, store=60.0, waiting=40.0),
)
VIEW = AgentView(
    "0.1.0",
    7,
    50.0,
    "/ks",
    drives=(DRIVE, replace(DRIVE, serial="HU2", state=State.EMPTY, guards=(), encrypted=False)),
    counters=(("mounts_keyed", 3), ("lost_races", 1)),
)
Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def samples(text: str) -> Samples:
    """As Prometheus's own client reads them."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


@pytest.fixture
def written(tmp_path: Path) -> str:
    metrics.write(tmp_path / "tapekey.prom", lambda: VIEW)
    return (tmp_path / "tapekey.prom").read_text()


def test_the_view_is_there(written: str) -> None:
    found = samples(written)
    assert found["tapekey_drive_state", (("drive", "HU1"), ("state", "ready to write"))] == 1
    assert found["tapekey_drive_state", (("drive", "HU2"), ("state", "ready to write"))] == 0
    assert found["tapekey_drive_guard", (("drive", "HU1"), ("guard", "drive"))] == 1
    assert found["tapekey_drive_guard", (("drive", "HU1"), ("guard", "gate"))] == 0
    assert found["tapekey_drive_mount_seconds", (("drive", "HU1"), ("part", "store"))] == 0.06
    assert found["tapekey_drive_next_job_fails", (("drive", "HU1"),)] == 1
    assert found["tapekey_drive_state_since_seconds", (("drive", "HU1"),)] == 100
    assert found["tapekey_mounts_keyed_total", ()] == 3
    assert found["tapekey_lost_races_total", ()] == 1
    assert found["tapekey_manager_up", ()] == 1


def test_every_drive_is_in_one_state(written: str) -> None:
    found = samples(written)
    for serial in ("HU1", "HU2"):
        states = {key[1]: value for key, value in found.items() if key[0] == "tapekey_drive_state"}
        assert sum(value for labels, value in states.items() if ("drive", serial) in labels) == 1
    assert len(states) == 2 * len(State)


def test_neither_key_nor_cartridge_is_told(written: str) -> None:
    assert DRIVE.key not in written
    assert DRIVE.cartridge not in written
    assert "ENC" not in written


def test_a_manager_that_does_not_answer_is_down(tmp_path: Path) -> None:
    metrics.write(tmp_path / "m.prom", lambda: replace(VIEW, manager="locked"))
    assert samples((tmp_path / "m.prom").read_text())["tapekey_manager_up", ()] == 0


def test_the_file_is_replaced_whole_and_others_may_read_it(tmp_path: Path) -> None:
    file = tmp_path / "m.prom"
    file.write_text("old")
    metrics.write(file, lambda: VIEW)
    assert file.stat().st_mode & 0o777 == 0o644
    assert [one.name for one in tmp_path.iterdir()] == ["m.prom"]


def test_a_view_that_cannot_be_had_leaves_the_old_file(tmp_path: Path) -> None:
    def fails() -> AgentView:
        raise RuntimeError

    file = tmp_path / "m.prom"
    file.write_text("old")
    with pytest.raises(RuntimeError):
        metrics.write(file, fails)
    assert (file.read_text(), len(list(tmp_path.iterdir()))) == ("old", 1)


def test_the_port_answers_on_loopback_and_a_busy_one_is_said() -> None:
    with metrics.serving(0, lambda: VIEW) as port:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
            text = answer.read().decode()
        with pytest.raises(Usage, match="metrics"), metrics.serving(port, lambda: VIEW):
            pass
    assert samples(text)["tapekey_agent_started_seconds", ()] == 50

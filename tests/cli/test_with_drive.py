"""A command with a drive: run when the drive is ready and not else; afterwards the account, and the key stays."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tapekey.errors import Refused, TimedOut
from tests.cli.agent_line import Line, Says, answering
from tests.stories.transcript import Teller, telling

K = "--store ks --key-file root.key"
SCENE = f"""
umask 077; head -c 32 /dev/urandom > root.key
tapekey recipient generate x25519 recovery.key
tapekey keystore init {K} --recovery-recipient recovery.key.pub
tapekey rule add ENC* --require --guard hook {K}
tapekey target create drv --personality hpe-lto6 --serial DRIVE00001
tapekey cartridge create tape --generation lto6 --barcode ENC001L6
tapekey target insert drv tape
tapekey target serve drv &
tapekey drive approve virtual:drv --allow-virtual {K}
"""
# Software that has the drive: it turns encryption off and writes a clear block behind the encrypted one.
TRAITOR = """
import io
from pathlib import Path
from tapekey.drive import data, guard, load
from tapekey.scsi.run import run
from tapekey.exchange import Command
from tapekey.secret import Secret
from tapekey.transport.socket import connect
from tests.mount import rivals
from tests.octets import octets
from tapekey.target import machine

with connect(Path("drv") / machine.SOCKET) as drive:
    load.presence(drive)
    data.write(drive, io.BytesIO(b"encrypted" * 100), block=4096)
    page = octets(rivals.BAREOS_OFF)
    run(drive, Command(octets("B5 20 00 10 00 00") + len(page).to_bytes(4, "big") + bytes(2), data_out=Secret(page)))
    guard.open(drive)
    run(drive, Command(octets("0A 00 00 00 05 00"), data_out=b"clear"))
    run(drive, Command(octets("10 00 00 00 01 00")))
"""


class Scene:
    def __init__(self, teller: Teller) -> None:
        self.teller = teller

    def run(self, command: str) -> str:
        status, said = self.teller.run(command)
        assert status == 0, said
        return said

    def with_(self, command: str, options: str = "--allow-virtual") -> tuple[int, str]:
        return self.teller.run(f"tapekey with virtual:drv {options} {K} -- {command}")

    @property
    def state(self) -> str:
        return self.run(f"tapekey drive status virtual:drv {K}")

    @property
    def events(self) -> str:
        return self.run(f"tapekey audit show {K}")

    def ran(self) -> bool:
        return (self.teller.place / "ran").exists()


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    monkeypatch.setenv("PYTHONPATH", f"{Path('agent').resolve()}:{Path.cwd()}")
    with telling(tmp_path) as teller:
        made = Scene(teller)
        for line in SCENE.split("\n")[1:-1]:
            made.run(line)
        yield made


def test_command_runs_with_the_drive_ready_and_the_key_stays(scene: Scene) -> None:
    command = "sh -c 'ls /proc/self/fd > fds; ls -l /proc/self/fd > links; env > environment; exit 3'"
    assert scene.with_(command) == (3, "")
    assert re.search("owner +ours.*encryption mode +ENCRYPT", scene.state, re.DOTALL)
    assert "interim account" in scene.events
    opened = (scene.teller.place / "links").read_text()
    assert "keystore" not in opened
    assert (scene.teller.place / "root.key").read_bytes().hex() not in (scene.teller.place / "environment").read_text()


def test_command_does_not_run_unless_the_drive_is_ready(scene: Scene) -> None:
    assert scene.with_("touch ran", options="")[0] == 100
    assert not scene.ran()
    assert scene.with_("touch ran", options="--allow-virtual --volser XYZ001L6")[0] == 101
    assert not scene.ran()


def test_cartridge_that_may_only_be_read_is_not_written_with_it(scene: Scene) -> None:
    """Where a hook makes it ready for reading, `with` was told that it is to be written."""
    scene.run("tapekey tape write virtual:drv < root.key")
    assert scene.with_("touch ran")[0] == 100
    assert not scene.ran()
    assert scene.with_("touch ran", options="--allow-virtual --intent restore") == (0, "")
    assert scene.ran()


def test_what_a_command_wrote_in_clear_is_found_although_it_ended_well(scene: Scene) -> None:
    (scene.teller.place / "traitor.py").write_text(TRAITOR)
    status, said = scene.with_(f"{sys.executable} traitor.py")
    assert status == 101, said
    assert "a clear block stands behind an encrypted one" in said
    assert "ALARM" in scene.events


def test_command_that_ejects_leaves_no_account_and_no_error(scene: Scene) -> None:
    assert scene.with_(f"{sys.executable} -m tapekey target eject drv")[0] == 0
    assert "unaccounted" in scene.events


def test_standard_input_is_the_commands_own(scene: Scene) -> None:
    said = scene.teller.run("tapekey with virtual:drv --store ks --passphrase-file - -- touch ran")
    assert said[0] == 1
    assert not scene.ran()


# --- where an agent runs ---

READY = {"phase": "ready to write", "drive": "DRIVE00001"}


@pytest.fixture
def line(tmp_path: Path) -> Iterator[Line]:
    with telling(tmp_path), answering(tmp_path, ready=READY) as made:
        yield made


def alone(tmp_path: Path, words: str) -> tuple[int, str]:
    """Without any keystore: all that is needed is the agent."""
    return Teller(tmp_path).run(f"tapekey {words}")


def test_agent_makes_the_drive_ready_and_looks_at_it_afterwards(tmp_path: Path, line: Line) -> None:
    assert alone(tmp_path, "with /dev/nst0 --pool Full --volser ENC001L6 -- sh -c 'touch ran; exit 5'")[0] == 5
    assert line.verbs == ["ready", "verify"]
    asked = line.asked[0][1]
    assert (asked["intent"], asked["pool"], asked["volsers"]) == ("save", "Full", ["ENC001L6"])
    assert (tmp_path / "ran").exists()


GONE = {"phase": "to be verified again", "why": "its key is gone"}


@pytest.mark.parametrize(
    ("command", "said", "status"),
    [("true", Refused("its key is gone"), 100), ("true", GONE, 101), ("false", GONE, 1)],
    ids=["an error", "a doubt", "a command that failed"],
)
def test_agents_doubt_afterwards_is_no_success(
    tmp_path: Path, line: Line, command: str, said: Says, status: int
) -> None:
    line.says["verify"] = said
    found, told = alone(tmp_path, f"with /dev/nst0 -- {command}")
    assert found == status
    assert "its key is gone" in told


@pytest.mark.parametrize(
    "said", [TimedOut("not ready in time"), Refused("no"), {**READY, "phase": "ready to read"}, {}], ids=str
)
def test_command_does_not_run_unless_the_agent_says_ready(tmp_path: Path, line: Line, said: object) -> None:
    line.says["ready"] = said  # type: ignore[assignment]
    assert alone(tmp_path, "with /dev/nst0 -- touch ran")[0] != 0
    assert not (tmp_path / "ran").exists()


def test_wait_returns_when_the_agent_says_ready_and_tells_a_timeout(tmp_path: Path, line: Line) -> None:
    assert alone(tmp_path, "wait /dev/nst0 --seconds 5") == (0, "")
    assert line.asked[0][1]["seconds"] == 5
    line.says["ready"] = TimedOut("drive DRIVE00001 is not ready in time", why="it is empty")
    assert alone(tmp_path, "wait /dev/nst0")[0] == 33


def test_wait_without_an_agent_says_so(tmp_path: Path) -> None:
    with telling(tmp_path):
        status, said = alone(tmp_path, "wait /dev/nst0")
    assert status not in (0, 33)
    assert "no agent runs" in said

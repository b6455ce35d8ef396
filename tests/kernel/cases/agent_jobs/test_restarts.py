"""The agent ends and comes back while a backup writes: by a stop, a kill, its watchdog, an upgrade of its code.

One backup goes on through all of them. The table's kinds are what systemd and dpkg do to it.
"""

import hashlib
import os
import signal
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any, Final

import pytest

from tests.kernel.cases import simulated, st_node
from tests.kernel.cases.agent_jobs import house
from tests.kernel.cases.agent_jobs.house import Agent
from tests.kernel.cases.library.bench import Bench, Recorder, tape
from tests.kernel.cases.st_node import StNode

BARCODE, SLOT = "JOB001L8", 25
BLOCK: Final = 4096
PACE: Final = 0.1  # seconds from block to block, so that a small cartridge is not full before the end
SEED: Final = os.urandom(16)

ENDS: Final = {
    "stopped": (signal.SIGTERM, False),
    "killed": (signal.SIGKILL, False),
    "aborted by the watchdog": (signal.SIGABRT, False),
    "upgraded": (signal.SIGTERM, True),
}


def block(number: int) -> bytes:
    return hashlib.shake_128(SEED + number.to_bytes(4)).digest(BLOCK)


@dataclass(slots=True)
class Writer:
    """A backup that writes one block after the other until it is told to stop."""

    node: StNode
    blocks: int = 0
    failed: str = ""
    stop: threading.Event = field(default_factory=threading.Event)

    def write(self) -> None:
        while not self.stop.wait(PACE):
            try:
                os.write(self.node.handle, block(self.blocks))
            except OSError as error:
                self.failed = str(error)
                return
            self.blocks += 1

    def goes_on(self, count: int = 5) -> None:
        """Wait until so many blocks more are written."""
        wanted = self.blocks + count
        simulated.await_(lambda: self.blocks >= wanted or self.failed, f"{count} blocks")
        assert not self.failed


@dataclass(slots=True)
class Backup:
    """A mount that the agent made ready, and who writes to it until it is closed."""

    drive: str
    generation: int
    key: str
    writer: Writer
    open: ExitStack

    def mounted(self, found: Mapping[str, Any]) -> bool:
        return (found["generation"], found["key"]) == (self.generation, self.key)


@pytest.fixture(scope="module")
def backup(jobs: Bench, agent: Agent) -> Iterator[Backup]:
    drive = house.serial_of(jobs, 0)
    jobs.mtx("load", SLOT, 0)
    ready = agent.await_state(drive, "ready to write")
    with ExitStack() as stack:
        writer = Writer(stack.enter_context(st_node.opened(tape(jobs.drives[0]))))
        thread = threading.Thread(target=writer.write)
        thread.start()
        stack.callback(thread.join)
        stack.callback(writer.stop.set)
        writer.goes_on()
        yield Backup(drive, ready["generation"], ready["key"], writer, stack)


@pytest.mark.parametrize("kind", ENDS)
def test_backup_goes_on_and_nothing_is_said_against_it(
    backup: Backup, agent: Agent, kind: str, record_property: Recorder
) -> None:
    """The agent asks the drive nothing while the backup has it."""
    by, upgrade = ENDS[kind]
    backup.writer.goes_on()
    status = agent.end(by)
    assert status in (0, -by), agent.said()
    backup.writer.goes_on()
    if upgrade:
        agent.upgrade()
    began = time.monotonic()
    agent.start()
    record_property("up_again_seconds", round(time.monotonic() - began, 1))
    found = agent.await_state(backup.drive, "held by software")
    assert not found["alarm"], found
    backup.writer.goes_on()


def test_mount_is_adopted_when_the_backup_closes(
    backup: Backup, jobs: Bench, agent: Agent, record_property: Recorder
) -> None:
    backup.writer.goes_on()
    backup.open.close()
    record_property("blocks", backup.writer.blocks)
    found = agent.await_state(backup.drive, "ready to write")
    assert backup.mounted(found), found
    assert not agent.ask("status")["alarms"]
    with st_node.opened(tape(jobs.drives[0]), reading=True) as node:
        assert node.do("rewind") == "ok"
        assert all(os.read(node.handle, BLOCK) == block(number) for number in range(backup.writer.blocks))


def test_no_block_is_clear_and_the_mount_is_accounted(
    backup: Backup, jobs: Bench, agent: Agent, capsys: pytest.CaptureFixture[str]
) -> None:
    assert not house.in_clear(BARCODE, *(block(number)[:64] for number in range(backup.writer.blocks)))
    house.put_away(jobs, agent)
    agent.await_state(backup.drive, "empty")
    accounted = [line["facts"] for line in house.audit(capsys) if line["event"] == "mount accounted"]
    assert (backup.drive, backup.generation) in [(facts["drive"], facts["generation"]) for facts in accounted]

"""What happens in the middle of a backup: another initiator resets the drive, or the target dies and comes back.

Whatever it is, the writer is told, and no block goes to tape in clear afterwards: the drive has lost its key, and is
closed.
"""

import errno
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from tests.kernel.cases import simulated, st_node
from tests.kernel.cases.library import bench
from tests.kernel.cases.library.bench import Bench, run, tape
from tests.kernel.cases.st_node import StNode

BLOCK = 65536
TOLD = simulated.RELEASE >= (6, 15)  # `st` keeps to itself that the position is lost, until the tape is rewound
SAVED = os.urandom(BLOCK)  # written under the key
AFTERWARDS = os.urandom(BLOCK)  # written when the key is gone


@dataclass(slots=True)
class Writer:
    """A backup that writes one block after the other until it is told to stop, or that it failed."""

    node: StNode
    blocks: int = 0
    failed: int = 0
    stop: threading.Event = field(default_factory=threading.Event)

    def write(self) -> None:
        while not self.stop.is_set():
            try:
                os.write(self.node.handle, SAVED)
            except OSError as error:
                self.failed = error.errno or -1
                return
            self.blocks += 1


def disturbed(node: StNode, disturb: Callable[[], object]) -> Writer:
    """Write, disturb the drive once some blocks are written, and wait until the writer has been told."""
    writer = Writer(node)
    thread = threading.Thread(target=writer.write)
    thread.start()
    try:
        simulated.await_(lambda: writer.blocks > 8 or writer.failed, "some blocks")
        assert not writer.failed
        disturb()
        thread.join(60)
    finally:
        writer.stop.set()
        thread.join()
    return writer


def reset_by(session: Bench) -> Callable[[], object]:
    return lambda: run("sg_reset", "--no-escalate", "-d", session.drives[0].path)


def closed(node: StNode, barcode: str) -> None:
    """Try to write on, twice: nothing is taken, and nothing is on the medium."""
    assert "ok" not in (node.attempt(AFTERWARDS), node.attempt(AFTERWARDS))
    assert not bench.on_medium(barcode, AFTERWARDS)
    assert not bench.on_medium(barcode, SAVED)


def goes_on(library: Bench, barcode: str) -> None:
    """Made ready again it holds what was acknowledged, and is written again under the same key."""
    drive = library.drives[0]
    bench.save(drive)
    with st_node.opened(tape(drive)) as node:
        assert os.read(node.handle, BLOCK) == SAVED  # what was acknowledged before is there
        assert node.attempt(AFTERWARDS) == "ok"
        assert (node.do("bsr 1"), os.read(node.handle, BLOCK) == AFTERWARDS) == ("ok", True)
    assert not bench.on_medium(barcode, AFTERWARDS)


def ended(library: Bench, barcode: str) -> None:
    """What is left when `st` was closed after a reset that others caused.

    Before 6.15 `st` does not know that the tape is at its beginning now, and closes with a filemark: over the backup.
    No drive refuses that, since a filemark is no data.
    """
    if TOLD:
        goes_on(library, barcode)
        return
    with st_node.opened(tape(library.drives[0])) as node:
        assert (node.do("rewind"), node.do("read 65536"), node.place().file) == ("ok", "0", 1)


def test_reset_by_another_initiator_ends_the_backup(library: Bench, second: Bench) -> None:
    with library.loaded(8) as drive:
        bench.save(drive)
        with st_node.opened(tape(drive), in_trouble=True) as node:
            writer = disturbed(node, reset_by(second))
            assert writer.failed == errno.EIO
            closed(node, "ENC008L8")
        ended(library, "ENC008L8")


def test_reset_by_this_host_ends_the_backup(library: Bench) -> None:
    with library.loaded(9) as drive:
        bench.save(drive)
        with st_node.opened(tape(drive), in_trouble=True) as node:
            writer = disturbed(node, reset_by(library))
            assert writer.failed == errno.EIO
            closed(node, "ENC009L8")
        goes_on(library, "ENC009L8")


@pytest.fixture
def restarted(library: Bench) -> Iterator[Callable[[], object]]:
    """Kills the target, and starts it again at the end if nobody did."""

    def kill_and_start() -> None:
        assert library.ask("kill") == "killed"
        assert library.ask("start") == "started"

    yield kill_and_start
    bench.await_session(library.drives[0])


def test_target_that_died_and_came_back_ends_the_backup(library: Bench, restarted: Callable[[], object]) -> None:
    with library.loaded(10) as drive:
        bench.save(drive)
        with st_node.opened(tape(drive), in_trouble=True) as node:
            writer = disturbed(node, restarted)
            assert writer.failed == errno.EIO
            bench.await_session(drive)
            closed(node, "ENC010L8")
        ended(library, "ENC010L8")


def test_who_starts_over_without_the_key_writes_nothing(library: Bench) -> None:
    """A new cartridge's reset drive takes no block from the beginning either; a filemark is no data, and taken."""
    with library.loaded(7) as drive:
        bench.save(drive)
        with st_node.opened(tape(drive), in_trouble=True) as node:
            reset_by(library)()
            assert node.do("rewind") in ("ok", "EIO")  # the first command may be what is told of the reset
            assert node.do("rewind") == "ok"
            closed(node, "ENC007L8")

"""What happens in the middle of a backup: another initiator resets the drive, or the target dies and comes back.

Whatever it is, the writer is told, and no block goes to tape in clear afterwards: the drive has lost its key, and is
closed.
"""

import errno
import os
from collections.abc import Callable, Iterator

import pytest

from tests.kernel.cases import simulated, st_node
from tests.kernel.cases.library import bench
from tests.kernel.cases.library.backup import AFTERWARDS, BLOCK, SAVED, closed, disturbed, reset_by
from tests.kernel.cases.library.bench import Bench, tape

TOLD = simulated.RELEASE >= (6, 15)  # `st` keeps to itself that the position is lost, until the tape is rewound


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

"""A backup that is disturbed in its middle, and what must be true of it and of the medium afterwards."""

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.kernel.cases import simulated
from tests.kernel.cases.library import bench
from tests.kernel.cases.library.bench import Bench, run
from tests.kernel.cases.st_node import StNode

BLOCK = 65536
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

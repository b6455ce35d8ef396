"""Virtual drives behind paths in /dev, for what opens nodes."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tapekey.errors import TransportFailed
from tapekey.exchange import Transport
from tapekey.target import machine


class Bay:
    """Drives behind paths; a path without one cannot be opened."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.stack = ExitStack()
        self.transports: dict[str, Transport] = {}

    def put(self, path: str, serial: str) -> None:
        machine.create(self.place / serial, "ibm-lto6", serial=serial)
        self.transports[path] = self.stack.enter_context(machine.open(self.place / serial)).transport()

    @contextmanager
    def open(self, path: str) -> Iterator[Transport]:
        if path not in self.transports:
            raise TransportFailed(f"cannot open {path}", why="Permission denied")
        yield self.transports[path]

"""A drive of a library that a process of its own has powered: the library's end of the link between them.

    hello        {"port": N}\\n, once the drive has power and listens
    request      {"do": VERB, …}\\n
    answer       {"ok": true, …}\\n, or what went wrong (`remote_robot` has both)

There are two links, so that looking at a drive does not wait for what it is doing with a cartridge. A drive whose
process has ended has no power: it takes nothing, it gives nothing, and the others go on.
"""

import json
import logging
import socket
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tapekey.errors import Conflict, Malformed
from tapekey.target.description import Description
from tapekey.target.machine import NotGiven

LONGEST: Final = 1 << 16  # bytes of a line
OFF: Final = "the drive has no power: its process has ended"

log = logging.getLogger(__name__)


class Gone(Conflict):
    """The process of the drive has ended."""

    def __init__(self, directory: Path) -> None:
        super().__init__(f"{directory.name} does not answer", why=OFF, mend="power the library off and on")


@dataclass(slots=True)
class Link:
    """One connection to the process: a request, then its answer."""

    socket: socket.socket
    directory: Path
    _turn: threading.Lock = field(default_factory=threading.Lock)
    _port: int = 0
    _rest: bytes = b""

    def greeted(self) -> int:
        """The port on which the drive listens, once it has power; Gone if it never has."""
        with self._turn:
            return self._hello()

    def ask(self, request: Mapping[str, object]) -> dict[str, object]:
        """The answer to a request; Gone if there will be none."""
        with self._turn:
            self._hello()
            try:
                self.socket.sendall(json.dumps(request).encode() + b"\n")
            except OSError as error:
                raise Gone(self.directory) from error
            return self._heard()

    def _hello(self) -> int:
        if not self._port:
            port = self._heard()["port"]
            assert isinstance(port, int)
            self._port = port
        return self._port

    def _heard(self) -> dict[str, object]:
        while b"\n" not in self._rest and len(self._rest) <= LONGEST:
            try:
                piece = self.socket.recv(LONGEST)
            except OSError as error:
                raise Gone(self.directory) from error
            if not piece:
                raise Gone(self.directory)
            self._rest += piece
        line, _, self._rest = self._rest.partition(b"\n")
        answer = json.loads(line)
        assert isinstance(answer, dict)
        return answer


@dataclass(slots=True)
class RemoteDrive:
    """A drive behind two links, the one for what moves, the other for what is only looked at."""

    directory: Path
    moves: Link
    looks: Link
    description: Description

    def started(self) -> int:
        """Wait until the drive has power, and tell the port on which it listens; Gone if it never does."""
        return self.moves.greeted()

    def let_go(self) -> None:
        """Ask nothing more: the drive's process stores what it holds, and ends."""
        for link in (self.moves, self.looks):
            with suppress(OSError):  # it has gone already
                link.socket.shutdown(socket.SHUT_RDWR)

    @property
    def lets_go(self) -> bool:
        """Whether a gripper reaches what is in the drive."""
        try:
            return self._done(self.looks, "lets-go")["lets_go"] is True
        except Gone:
            return False

    def status(self) -> dict[str, object]:
        """What one sees by looking at the drive."""
        try:
            return self._done(self.looks, "status")
        except Gone:
            log.error("%s", OFF)
            return {"place": "off"}

    def set(self, **knobs: object) -> None:
        """Turn knobs."""
        self._done(self.moves, "set", knobs=knobs)
        self.description = Description.load(self.directory)

    def reset(self) -> None:
        """Hard reset; one without power has been reset already."""
        try:
            self._done(self.moves, "reset")
        except Gone:
            log.error("%s", OFF)

    # --- the robot's gripper ---

    def insert(self, directory: Path) -> None:
        """Put a cartridge in; the drive loads it."""
        self._done(self.moves, "insert", cartridge=str(directory.absolute()))

    def hand_out(self, *, unloads: bool) -> float:
        """Take the cartridge, and hear in how many seconds it is out. NotGiven if the drive keeps it."""
        try:
            seconds = self._done(self.moves, "hand-out", unloads=unloads)["seconds"]
        except Gone as error:
            raise NotGiven(OFF, prevented=False) from error
        assert isinstance(seconds, float)
        return seconds

    def lay_back(self, directory: Path) -> None:
        """Put a cartridge back into the mouth."""
        self._done_if_there("lay-back", cartridge=str(directory.absolute()))

    def give_up(self) -> None:
        """Have a cartridge back that was just put in."""
        self._done_if_there("give-up")

    def _done_if_there(self, verb: str, **more: object) -> None:
        """For what is undone: a drive without power finds what is in it from the inventory when it has some again."""
        try:
            self._done(self.moves, verb, **more)
        except Gone:
            log.error("%s", OFF)

    def _done(self, link: Link, verb: str, **more: object) -> dict[str, object]:
        answer = link.ask({"do": verb, **more})
        if answer.pop("ok"):
            return answer
        raise _error(answer)


def _error(answer: Mapping[str, object]) -> Exception:
    """What the drive's process raised, as the robot tells its errors apart."""
    what, why, mend = (str(answer.get(name, "")) for name in ("what", "why", "mend"))
    match answer.get("error"):
        case "NotGiven":
            return NotGiven(why, prevented=answer["prevented"] is True)
        case "OSError":
            return OSError(answer["number"], why)
        case "Malformed":
            return Malformed(what, why=why, mend=mend)
        case _:
            return Conflict(what, why=why, mend=mend)

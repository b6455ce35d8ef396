"""The agent's socket: who may ask for what, and as many clients as do each other no harm.

A thread for each client, so that one that waits, dawdles or talks rubbish holds up nobody. What a verb does is not
known here. The protocol is in docs/formats/agent-socket.md.
"""

import json
import logging
import os
import pwd
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Final

from tapekey.errors import DeviceError, NotAllowed, Refused, TapekeyError, TimedOut, TransportFailed, Usage
from tapekey.service import control_socket

LONGEST_LINE = 1 << 16
MOST_CLIENTS = 256
MOST_OF_ONE_USER = 128  # of any but root and the agent's own: nobody takes every place
LINE_SECONDS = 30.0  # for one line to come, or one reply to be taken
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, as the kernel says (SO_PEERCRED, unix(7))."""

    uid: int
    gid: int
    pid: int


Verb = Callable[[Caller, Mapping[str, object]], Mapping[str, object]]


class Who(Enum):
    """Who may: the file mode of the socket decides who can connect at all."""

    ANYBODY = "whoever may connect"
    ASKERS = "root, the agent's own user, and those that the configuration names as askers"
    OWNERS = "root and the agent's own user"


# fmt: off
WHO_MAY: Final[Mapping[str, Who]] = {
    "status": Who.ANYBODY,
    "ready":  Who.ASKERS,
    "unload": Who.ASKERS,
    "moving": Who.ASKERS,
    "look":   Who.ASKERS,
    "verify": Who.ASKERS,
    "reload": Who.OWNERS,
}
# fmt: on


@dataclass(slots=True)
class _Desk:
    """What the clients' threads share."""

    verbs: Mapping[str, Verb]
    askers: frozenset[str]
    clients: dict[socket.socket, Caller] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def admits(self, client: socket.socket, caller: Caller) -> bool:
        """Take a client in, unless there are too many."""
        with self.lock:
            of_one = Counter(each.uid for each in self.clients.values())[caller.uid]
            if len(self.clients) >= MOST_CLIENTS or (not _owns(caller) and of_one >= MOST_OF_ONE_USER):
                return False
            self.clients[client] = caller
            return True

    def sees_off(self, client: socket.socket) -> None:
        with self.lock:
            self.clients.pop(client, None)


def _owns(caller: Caller) -> bool:
    return caller.uid in (0, os.geteuid())


def may(caller: Caller, verb: str, askers: frozenset[str]) -> bool:
    """Whether a caller may use a verb: unknown verbs are nobody's."""
    match WHO_MAY.get(verb):
        case Who.ANYBODY:
            return True
        case Who.ASKERS:
            return _owns(caller) or _name(caller.uid) in askers
        case Who.OWNERS:
            return _owns(caller)
        case None:
            return False


def _name(uid: int) -> str | None:
    with suppress(KeyError):
        return pwd.getpwuid(uid).pw_name
    return None


@contextmanager
def serving(path: Path, verbs: Mapping[str, Verb], askers: Sequence[str] = ()) -> Iterator[None]:
    """Answer at a socket until left. Another agent that lives there is a Conflict; a dead one's socket is replaced."""
    strangers = verbs.keys() - WHO_MAY
    if strangers:
        raise ValueError(f"nobody said who may use {sorted(strangers)}")
    desk = _Desk(verbs, frozenset(askers))
    with control_socket.listening(path) as listener:
        thread = threading.Thread(target=_admit, args=(listener, desk), name="control", daemon=True)
        thread.start()
        try:
            yield
        finally:
            listener.shutdown(socket.SHUT_RDWR)  # which ends accept()
            thread.join(LINE_SECONDS)
            with desk.lock:
                for client in desk.clients:
                    with suppress(OSError):
                        client.shutdown(socket.SHUT_RDWR)


def _admit(listener: socket.socket, desk: _Desk) -> None:
    while True:
        try:
            client, _ = listener.accept()
        except OSError as error:
            if error.errno in control_socket.PASSING:
                time.sleep(0.05)  # out of descriptors or memory: clients wait in the backlog
                continue
            return
        client.settimeout(LINE_SECONDS)
        caller = _caller(client)
        if desk.admits(client, caller):
            threading.Thread(target=_serve, args=(client, caller, desk), name="client", daemon=True).start()
        else:
            busy = TransportFailed("the agent has too many clients", mend="ask again later")
            _send(client, _refusal(busy))
            client.close()


def _caller(client: socket.socket) -> Caller:
    pid, uid, gid = struct.unpack("3i", client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i")))
    return Caller(uid, gid, pid)


def _serve(client: socket.socket, caller: Caller, desk: _Desk) -> None:
    """Answer a client line by line, until it hangs up, dawdles, or says what is no request."""
    rest = bytearray()
    try:
        with client:
            while (line := _line(client, rest)) is not None:
                if not _send(client, _answer(line, caller, desk)):
                    return
    except TapekeyError as error:
        log.info("client %d of user %d was hung up on: %s", caller.pid, caller.uid, error)
    finally:
        desk.sees_off(client)


def _line(client: socket.socket, rest: bytearray) -> bytes | None:
    """The next line; None at the end. All of it has to come in LINE_SECONDS, however it is dribbled."""
    deadline = time.monotonic() + LINE_SECONDS
    while b"\n" not in rest:
        if len(rest) > LONGEST_LINE:
            _send(client, _refusal(Usage("the line is too long", why=f"more than {LONGEST_LINE} bytes")))
            return None
        client.settimeout(max(deadline - time.monotonic(), 0.001))
        try:
            piece = client.recv(1 << 14)
        except TimeoutError as error:
            raise TimedOut("no line came in time") from error
        except OSError:
            return None
        if not piece:
            return None
        rest += piece
    line, _, after = bytes(rest).partition(b"\n")
    rest[:] = after
    return line


def _answer(line: bytes, caller: Caller, desk: _Desk) -> bytes:
    try:
        verb, arguments = _request(line)
        if verb not in desk.verbs:
            raise Usage(f"the agent has no verb {verb[:40]!r}", mend="is it of another version?")
        if not may(caller, verb, desk.askers):
            raise NotAllowed(f"the agent does not {verb} for user {caller.uid}", why=f"only {WHO_MAY[verb].value} may")
        return json.dumps({"done": desk.verbs[verb](caller, arguments)}).encode()
    except TapekeyError as error:
        return _refusal(error)
    except Exception:  # one client's verb must not end the agent
        log.exception("a verb asked by user %d failed", caller.uid)
        return _refusal(TapekeyError("the agent met a fault of its own", mend="see its journal"))


def _request(line: bytes) -> tuple[str, Mapping[str, object]]:
    try:
        told = json.loads(line)
        verb, arguments = told["verb"], told.get("arguments", {})
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise Usage("the line is no request", why="it is no JSON object with a verb") from error
    if not isinstance(verb, str) or not isinstance(arguments, dict):
        raise Usage("the line is no request", why="verb is text and arguments is an object")
    return verb, arguments


def _refusal(error: TapekeyError) -> bytes:
    told: dict[str, object] = {
        "kind": type(error).__name__,
        "what": error.what,
        "why": error.why,
        "mend": error.mend,
    }
    match error:
        case Refused():
            told["alarm"] = error.alarm
        case DeviceError():
            told["code"] = error.code
    return json.dumps({"refused": told}).encode()


def _send(client: socket.socket, answer: bytes) -> bool:
    """Whether the client took it: one that does not read is left."""
    try:
        client.settimeout(LINE_SECONDS)
        client.sendall(answer + b"\n")
    except OSError:
        return False
    return True

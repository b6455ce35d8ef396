"""Asks the agent over its socket: one line of JSON each way, as docs/formats/agent-socket.md has it.

Imports nothing but json, the errors, and the C half of the standard library's socket, so that whoever asks starts
fast: the Python half makes Enums of a thousand constants, and is a twentieth of what `tapekey status` takes.
"""

import _socket
import json
from collections.abc import Mapping
from contextlib import closing, suppress
from os import PathLike, fspath

from tapekey import errors
from tapekey.errors import AgentMissing, Malformed, NotAllowed, TapekeyError, TimedOut, TransportFailed

LONGEST_REPLY = 1 << 24
KINDS = {name: kind for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, TapekeyError)}


def ask(path: str | PathLike[str], verb: str, timeout: float = 10.0, **arguments: object) -> dict[str, object]:
    """Have the agent do one verb. Its refusal is raised here as it was raised there."""
    request = json.dumps({"verb": verb, "arguments": arguments}).encode() + b"\n"
    try:
        with closing(_socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)) as line:
            line.settimeout(timeout)
            _connect(line, path)
            with suppress(BrokenPipeError):  # hung up on at once: why is there to be read
                line.sendall(request)
            return _understood(_answer(line))
    except TimeoutError as error:
        raise TimedOut("the agent did not answer in time", why=f"{timeout:g} s", mend="tapekey check") from error
    except OSError as error:
        why = error.strerror or str(error)
        raise TransportFailed("the agent hung up before it answered", why=why, mend="tapekey check") from error


def _connect(line: _socket.socket, path: str | PathLike[str]) -> None:
    try:
        line.connect(fspath(path))
    except (FileNotFoundError, ConnectionRefusedError, NotADirectoryError) as error:
        raise AgentMissing(f"no agent answers at {path}", mend="systemctl start tapekey-agent") from error
    except PermissionError as error:
        mend = "ask as root, or as a member of group tapekey"
        raise NotAllowed(f"you may not ask the agent at {path}", why="permission denied", mend=mend) from error


def _answer(line: _socket.socket) -> bytes:
    """The reply's line. The timeout holds for every wait, so an agent that says nothing is given up."""
    found = bytearray()
    while not found.endswith(b"\n"):
        piece = line.recv(1 << 16)
        if not piece:
            raise TransportFailed("the agent hung up before it answered", mend="tapekey check")
        found += piece
        if len(found) > LONGEST_REPLY:
            raise Malformed("the agent's answer never ends")
    return bytes(found)


def _understood(answer: bytes) -> dict[str, object]:
    try:
        told = json.loads(answer)
        if "done" in told:
            return dict(told["done"])
        refusal = {name: value for name, value in told["refused"].items() if isinstance(value, str | bool)}
        kind = KINDS.get(str(refusal.pop("kind")), TapekeyError)
        what = str(refusal.pop("what"))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise Malformed(
            "the agent's answer is none", why=str(error), mend="restart it if it is another version"
        ) from error
    raise raised(kind, what, refusal)


def raised(kind: type[TapekeyError], what: str, more: Mapping[str, object]) -> TapekeyError:
    """The error again: `alarm` and `code` only for the classes that have them."""
    error = kind(what, why=str(more.get("why", "")), mend=str(more.get("mend", "")))
    match error:
        case errors.Refused():
            error.alarm = more.get("alarm") is True
        case errors.DeviceError():
            error.code = str(more.get("code", ""))
    return error

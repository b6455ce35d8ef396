"""A drive that its library has powered in a process of its own: the drive's end of the link (see `remote_drive`).

When the library closes the link, or dies, the drive is to be powered off.
"""

import json
import socket
import threading
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final

from tapekey.errors import TapekeyError
from tapekey.target.machine import Machine, NotGiven

Request = Mapping[str, object]
Answer = dict[str, object]


def answer(machine: Machine, links: Iterable[int], port: int, closed: threading.Event) -> None:
    """Say hello on both links, and from now on do what the library asks; `closed` is set when it asks no more."""
    for each in links:
        link = socket.socket(fileno=each)
        threading.Thread(target=_answer, args=(machine, link, port, closed), name="library", daemon=True).start()


def _answer(machine: Machine, link: socket.socket, port: int, closed: threading.Event) -> None:
    try:
        with link, link.makefile("rb") as lines:
            link.sendall(_line({"port": port}))
            for line in lines:
                link.sendall(_line(obey(machine, json.loads(line))))
    except OSError:  # the library has gone
        pass
    finally:
        closed.set()


def _line(content: Answer) -> bytes:
    return json.dumps(content).encode() + b"\n"


def obey(machine: Machine, request: Request) -> Answer:
    """Carry out one request; what goes wrong is part of the answer."""
    try:
        return {"ok": True, **VERBS[str(request["do"])](machine, request)}
    except NotGiven as error:
        return {"ok": False, "error": "NotGiven", "why": error.why, "prevented": error.prevented}
    except TapekeyError as error:
        return {"ok": False, "error": type(error).__name__, "what": error.what, "why": error.why, "mend": error.mend}
    except OSError as error:
        return {"ok": False, "error": "OSError", "number": error.errno, "why": error.strerror or str(error)}


def _insert(machine: Machine, request: Request) -> Answer:
    machine.insert(Path(str(request["cartridge"])))
    return {}


def _hand_out(machine: Machine, request: Request) -> Answer:
    return {"seconds": float(machine.hand_out(unloads=request["unloads"] is True))}


def _lay_back(machine: Machine, request: Request) -> Answer:
    machine.lay_back(Path(str(request["cartridge"])))
    return {}


def _give_up(machine: Machine, request: Request) -> Answer:
    machine.give_up()
    return {}


def _set(machine: Machine, request: Request) -> Answer:
    knobs = request["knobs"]
    assert isinstance(knobs, dict)
    machine.set(**knobs)
    return {}


def _reset(machine: Machine, request: Request) -> Answer:
    machine.reset()
    return {}


def _status(machine: Machine, request: Request) -> Answer:
    return machine.status()


def _lets_go(machine: Machine, request: Request) -> Answer:
    return {"lets_go": machine.lets_go}


VERBS: Final[Mapping[str, Callable[[Machine, Request], Answer]]] = {
    "insert": _insert,
    "hand-out": _hand_out,
    "lay-back": _lay_back,
    "give-up": _give_up,
    "set": _set,
    "reset": _reset,
    "status": _status,
    "lets-go": _lets_go,
}

"""The front panel over the socket: JSON verbs to the machine's actions, by table."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, TypeVar

from tapekey.errors import Conflict, TapekeyError, Usage
from tapekey.target.machine import Machine

Arguments = Mapping[str, object]
Answer = dict[str, object]
Panel = TypeVar("Panel")


def press(machine: Machine, request: object) -> Answer:
    """Carry out one request to a drive."""
    return by_table(VERBS, machine, request)


def by_table(verbs: Mapping[str, Callable[[Panel, Arguments], Answer]], panel: Panel, request: object) -> Answer:
    """Carry out one request; what goes wrong is part of the answer, with its class, what, why and mend."""
    try:
        if not isinstance(request, dict) or not isinstance(request.get("verb"), str):
            raise Usage("a request to the front panel has a verb")
        verb = verbs.get(request["verb"])
        if verb is None:
            raise Usage(f"the front panel has no verb {request['verb']}", mend=f"there are {', '.join(verbs)}")
        return {"ok": True, **verb(panel, request)}
    except TapekeyError as error:
        return _failed(error)
    except OSError as error:
        return _failed(Usage("the front panel could not do it", why=str(error)))


def _failed(error: TapekeyError) -> Answer:
    return {"ok": False, "error": type(error).__name__, "what": error.what, "why": error.why, "mend": error.mend}


def path(arguments: Arguments) -> Path:
    """The cartridge that a request is about."""
    named = arguments.get("cartridge")
    if not isinstance(named, str) or not named or "\0" in named:
        raise Usage("which cartridge is not said", mend="give its directory as cartridge")
    return Path(named)


def _alone(machine: Machine) -> None:
    if machine.bay is not None:
        mend = "tapekey target move LIBRARY CARTRIDGE ELEMENT"
        raise Conflict("the drive's mouth cannot be reached", why="it is in a library", mend=mend)


def _insert(machine: Machine, arguments: Arguments) -> Answer:
    _alone(machine)
    machine.insert(path(arguments))
    return machine.status()


def _eject(machine: Machine, arguments: Arguments) -> Answer:
    _alone(machine)
    machine.eject()
    return machine.status()


def _status(machine: Machine, arguments: Arguments) -> Answer:
    return machine.status()


def _power_cycle(machine: Machine, arguments: Arguments) -> Answer:
    machine.power_cycle(orderly=arguments.get("orderly", True) is True)
    return machine.status()


def _reset(machine: Machine, arguments: Arguments) -> Answer:
    machine.reset()
    return machine.status()


def _write_protect(machine: Machine, arguments: Arguments) -> Answer:
    machine.write_protect(path(arguments), arguments.get("on", True) is True)
    return machine.status()


def _set(machine: Machine, arguments: Arguments) -> Answer:
    machine.set(**{str(name): value for name, value in arguments.items() if name != "verb"})
    return machine.status()


VERBS: Final[Mapping[str, Callable[[Machine, Arguments], Answer]]] = {
    "insert": _insert,
    "eject": _eject,
    "status": _status,
    "power-cycle": _power_cycle,
    "reset": _reset,
    "write-protect": _write_protect,
    "set": _set,
}

"""The library's front panel over its socket: JSON verbs to actions, by table, as a drive's panel has them."""

from collections.abc import Callable, Mapping
from typing import Final

from tapekey.errors import Usage
from tapekey.target import front_panel
from tapekey.target.front_panel import Answer, Arguments
from tapekey.target.library_front import Library


def press(library: Library, request: object) -> Answer:
    """Carry out one request; what goes wrong is part of the answer."""
    return front_panel.by_table(VERBS, library, request)


def _word(arguments: Arguments, name: str) -> str:
    value = arguments.get(name)
    if not isinstance(value, str) or not value or "\0" in value:
        raise Usage(f"the {name} is not said")
    return value


def _status(library: Library, arguments: Arguments) -> Answer:
    return library.status()


def _inventory(library: Library, arguments: Arguments) -> Answer:
    return {"elements": library.inventory()}


def _insert(library: Library, arguments: Arguments) -> Answer:
    return {"element": library.insert(front_panel.path(arguments))}


def _export(library: Library, arguments: Arguments) -> Answer:
    return {"cartridge": str(library.export(_word(arguments, "cartridge")))}


def _move(library: Library, arguments: Arguments) -> Answer:
    return {"element": library.move(_word(arguments, "cartridge"), _word(arguments, "element"))}


def _rescan(library: Library, arguments: Arguments) -> Answer:
    library.rescan()
    return {"elements": library.inventory()}


def _set(library: Library, arguments: Arguments) -> Answer:
    library.set(**{str(name): value for name, value in arguments.items() if name != "verb"})
    return library.status()


def _reset(library: Library, arguments: Arguments) -> Answer:
    library.reset()
    return library.status()


VERBS: Final[Mapping[str, Callable[[Library, Arguments], Answer]]] = {
    "status": _status,
    "inventory": _inventory,
    "insert": _insert,
    "export": _export,
    "move": _move,
    "rescan": _rescan,
    "set": _set,
    "reset": _reset,
}

"""The front panel of a virtual drive or library: through its socket if it has power, else for this one action."""

from pathlib import Path
from typing import Any

from tapekey.errors import Conflict, NotFound


def press(directory: Path, verb: str, **arguments: object) -> dict[str, Any]:
    """Press a button, and tell what is seen then."""
    from tapekey.target import machine
    from tapekey.transport.socket import connect

    if machine.served(directory):
        with connect(directory / machine.SOCKET, "panel") as connection:
            answer = connection.control(verb, **arguments)
    else:
        answer = _alone(directory, {"verb": verb, **arguments})
    if answer.pop("ok", False) is not True:
        what, why, mend = (str(answer.get(name, "")) for name in ("what", "why", "mend"))
        kind = NotFound if answer.get("error") == NotFound.__name__ else Conflict
        raise kind(what or f"{directory} did not {verb}", why=why, mend=mend)
    return answer


def _alone(directory: Path, request: dict[str, object]) -> dict[str, Any]:
    """A drive is powered on for this; a library is only held, and none of its tapes is threaded."""
    from tapekey.target import front_panel, library, library_panel, machine

    if library.is_library(directory):
        with library.open(directory, power=False) as held:
            return library_panel.press(held, request)
    with machine.open(directory) as powered:
        return front_panel.press(powered, request)

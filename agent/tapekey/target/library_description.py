"""What a library's directory says of it: the file `library`, replaced as a whole when a knob is turned."""

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Self

from tapekey.errors import Malformed, Usage
from tapekey.target.library_layout import Layout
from tapekey.target.memory import read_checked, replace_checked

FILE: Final = "library"
VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class Knobs:
    """What may be turned on a library that exists. Times in seconds.

    move_time        a cartridge's way from element to element
    inventory_time   looking at every element: after power on, and for INITIALIZE ELEMENT STATUS
    changer_unloads  a move out of a drive unloads it first; else the host must have done so
    drive_names      what DVCID tells of a drive: serial, t10, naa or none
    """

    move_time: float = 0.0
    inventory_time: float = 0.0
    changer_unloads: bool = True
    drive_names: str = "serial"


def _seconds(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 86_400:
        raise ValueError("seconds up to a day are wanted")
    return float(value)


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("true or false is wanted")
    return value


def _name_form(value: object) -> str:
    if value not in ("serial", "t10", "naa", "none"):
        raise ValueError("serial, t10, naa or none is wanted")
    return str(value)


KNOBS: Final[Mapping[str, Callable[[object], object]]] = {
    "move_time": _seconds,
    "inventory_time": _seconds,
    "changer_unloads": _flag,
    "drive_names": _name_form,
}


@dataclass(frozen=True, slots=True)
class Description:
    """What a library keeps without power, beside its inventory."""

    serial: str
    naa: bytes
    layout: Layout
    knobs: Knobs = Knobs()

    @classmethod
    def load(cls, directory: Path) -> Self:
        """Read the description of the library in a directory."""
        try:
            return cls(*_decode(read_checked(directory / FILE, FILE)))
        except (OSError, ValueError, KeyError, TypeError) as error:
            mend = "make one with: tapekey target create DIR --drives N --slots N --personality NAME"
            raise Malformed(f"{directory} is not a virtual library", why=str(error), mend=mend) from error

    def save(self, directory: Path) -> None:
        """Replace the description, durably."""
        content = {
            "version": VERSION,
            "serial": self.serial,
            "naa": self.naa.hex(),
            "layout": asdict(self.layout),
            "knobs": asdict(self.knobs),
        }
        replace_checked(directory / FILE, FILE, content)

    def with_knobs(self, knobs: Mapping[str, object]) -> Self:
        """The same library with some knobs turned."""
        return dataclasses.replace(self, knobs=dataclasses.replace(self.knobs, **_parsed(knobs)))  # type: ignore[arg-type]


def _parsed(knobs: Mapping[str, object]) -> dict[str, object]:
    parsed = {}
    for name, value in knobs.items():
        if name not in KNOBS:
            raise Usage(f"the virtual library has no knob {name}", mend=f"there are {', '.join(sorted(KNOBS))}")
        try:
            parsed[name] = KNOBS[name](value)
        except ValueError as error:
            raise Usage(f"the knob {name} cannot be set to {value!r}", why=str(error)) from error
    return parsed


def _decode(content: object) -> tuple[str, bytes, Layout, Knobs]:
    if not isinstance(content, dict):
        raise TypeError("the description holds no object")
    if content["version"] != VERSION:
        raise ValueError(f"version {content['version']} is not known here")
    layout = Layout(**content["layout"])
    try:
        layout.check()
        knobs = Knobs(**_parsed(content["knobs"]))  # type: ignore[arg-type]
    except Usage as error:
        raise ValueError(str(error)) from error
    return content["serial"], bytes.fromhex(content["naa"]), layout, knobs

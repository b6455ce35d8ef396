"""A drive as its library sees it: a mouth that takes and gives cartridges, and what can be seen of it from outside.

A `Machine` is one, in this process; `RemoteDrive` is one that a process of its own has powered.
"""

from pathlib import Path
from typing import Protocol

from tapekey.target.description import Description


class LibraryDrive(Protocol):
    """What the robot, the changer and the library's panel need of a drive; `Machine` says what each is."""

    @property
    def description(self) -> Description: ...

    @property
    def lets_go(self) -> bool: ...

    def status(self) -> dict[str, object]: ...

    def set(self, **knobs: object) -> None: ...

    def reset(self) -> None: ...

    def insert(self, directory: Path) -> None: ...

    def hand_out(self, *, unloads: bool) -> float: ...

    def lay_back(self, directory: Path) -> None: ...

    def give_up(self) -> None: ...

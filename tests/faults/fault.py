"""What a planted fault is: a change of shipped code, and the test that has to notice it."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

Plant = Callable[[pytest.MonkeyPatch], None]


@dataclass(frozen=True, slots=True)
class Fault:
    """`caught_by` is the node id of one fast test; `what` says what the shipped code does wrong under the fault."""

    plant: Plant
    caught_by: str
    what: str


def skipped(owner: object, name: str, instead: object = None) -> Plant:
    """The function does nothing, and gives `instead`."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        patch.setattr(owner, name, lambda *_, **__: instead)

    return plant


def replaced(owner: object, name: str, by: Callable[..., object]) -> Plant:
    """Another function stands in place of the shipped one, and gets it as its first argument."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        shipped = getattr(owner, name)
        patch.setattr(owner, name, lambda *args, **kwargs: by(shipped, *args, **kwargs))

    return plant


def other(owner: object, name: str, value: object) -> Plant:
    """Another value stands in place of the shipped one."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        patch.setattr(owner, name, value)

    return plant


def entry(table: dict[object, object], key: object, value: object) -> Plant:
    """Another value stands under a key of a table."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        patch.setitem(table, key, value)

    return plant

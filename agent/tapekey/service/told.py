"""Reads what the agent told as JSON: no more than a reader that starts fast may load.

A fact that is not there is an older agent's, and empty; one of the wrong form is Malformed.
"""

from collections.abc import Mapping
from typing import TypeVar

from tapekey.errors import Malformed

Form = TypeVar("Form")


class Told:
    """Facts by name, each of the type that it is asked for as."""

    def __init__(self, facts: object) -> None:
        if not isinstance(facts, Mapping):
            raise Malformed("the agent told something else than facts", mend="restart it if it is another version")
        self._facts = facts

    def text(self, name: str) -> str:
        """A text, or none."""
        return self._fact(name, str) or ""

    def number(self, name: str) -> float:
        """A number, or 0."""
        found = self._facts.get(name)
        if found is not None and not isinstance(found, int | float):
            raise _odd(name)
        return found or 0

    def flag(self, name: str, absent: bool = False) -> bool:
        """Yes or no."""
        found = self._fact(name, bool)
        return absent if found is None else found

    def texts(self, name: str) -> list[str]:
        """A list of texts."""
        return [str(one) for one in self._fact(name, list) or []]

    def several(self, name: str) -> "list[Told]":
        """A list of further facts."""
        return [Told(one) for one in self._fact(name, list) or []]

    def numbers(self, name: str) -> dict[str, int]:
        """Numbers by name."""
        return {str(each): int(value) for each, value in (self._fact(name, dict) or {}).items()}

    def _fact(self, name: str, form: type[Form]) -> Form | None:
        found = self._facts.get(name)
        if found is None or isinstance(found, form):
            return found
        raise _odd(name)


def _odd(name: str) -> Malformed:
    return Malformed(f"the agent told {name!r} in another form", mend="restart it if it is another version")

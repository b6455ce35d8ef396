"""A socket that answers as an agent would: the shipped server, with verbs that a test writes."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tapekey.service import control

Says = Callable[[Mapping[str, object]], Mapping[str, object]] | Mapping[str, object] | Exception


class Line:
    """What was asked, in order; `says` has the answers by verb."""

    def __init__(self, says: dict[str, Says]) -> None:
        self.says = says
        self.asked: list[tuple[str, Mapping[str, Any]]] = []

    @property
    def verbs(self) -> list[str]:
        return [verb for verb, _ in self.asked]

    def _answer(self, verb: str) -> control.Verb:
        def answer(_: control.Caller, arguments: Mapping[str, object]) -> Mapping[str, object]:
            self.asked.append((verb, arguments))
            said = self.says.get(verb, {})
            if isinstance(said, Exception):
                raise said
            return said(arguments) if callable(said) else said

        return answer

    def table(self) -> dict[str, control.Verb]:
        return {verb: self._answer(verb) for verb in control.WHO_MAY}


@contextmanager
def configured(place: Path) -> Iterator[Path]:
    """No configuration but this, which names a socket that nobody answers yet; its path."""
    (place / "run").mkdir()
    (place / "tapekey.toml").write_text(f"[agent]\nruntime = {json.dumps(str(place / 'run'))}\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TAPEKEY_CONFIG", str(place / "tapekey.toml"))
        yield place / "run" / "agent.sock"


@contextmanager
def answering(place: Path, **says: Says) -> Iterator[Line]:
    """The same, answered."""
    line = Line(dict(says))
    with configured(place) as socket, control.serving(socket, line.table()):
        yield line

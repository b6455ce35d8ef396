"""Runs a transcript: commands behind `$`, then exactly what they print, then `[exit N]` unless it is 0.

`tapekey` lines run in this process through the entry that the console script uses; other lines are for the shell, in
the story's directory. `tapekey target serve DIR &` powers a drive on until the story ends or says `kill %DIR`.
Redirections (`< FILE`, `> FILE`), a pipe into the shell and variables (`K="--store ks"`, then `$K`) work for both.
Where output is random a transcript has a placeholder; with a name behind a colon it must be the same wherever it stands
again, and it may be used in commands.
"""

import io
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tapekey import cli
from tapekey.target import library, server

PLACEHOLDERS = {
    "HEX4": r"[0-9a-f]{8}",
    "HEX8": r"[0-9a-f]{16}",
    "HEX16": r"[0-9a-f]{32}",
    "HEX32": r"[0-9a-f]{64}",
    "HEX": r"[0-9a-f]+",
    "SERIAL": r"[A-Z0-9]{10}",
    "TIME": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{6})?Z",
    "TMP": r"/[^ ]*?",
    "N": r"\d+",
}
MARK = re.compile(r"\[(" + "|".join(PLACEHOLDERS) + r")(?::([a-z]+))?\]")
VARIABLE = re.compile(r'([A-Z]+)="([^"]*)"')
STATUS = re.compile(r"\[exit (\d+)\]")


@dataclass(frozen=True, slots=True)
class Step:
    """One command with what it must print."""

    line: int
    command: str
    output: tuple[str, ...]
    status: int


def parse(text: str) -> Iterator[Step]:
    """The steps of a transcript; lines behind `#`, and empty ones before a command, are for readers."""
    line, command, output = 0, "", list[str]()
    for number, row in enumerate([*text.splitlines(), "$ "], 1):
        if row.startswith("$ "):
            if command:
                yield _step(line, command, output)
            line, command, output = number, row.removeprefix("$ "), []
        elif not row.startswith("# "):
            output.append(row)


def _step(line: int, command: str, output: list[str]) -> Step:
    while output and not output[-1]:
        output.pop()
    ending = STATUS.fullmatch(output[-1]) if output else None
    return Step(line, command, tuple(output[:-1] if ending else output), int(ending[1]) if ending else 0)


@dataclass(slots=True)
class Teller:
    """A story's directory, the drives that are on, and the values that its placeholders have taken."""

    place: Path
    named: dict[str, str] = field(default_factory=dict)
    powered: dict[str, ExitStack] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)

    def tell(self, step: Step) -> None:
        """Run one step and compare."""
        status, said = self.run(MARK.sub(lambda mark: self.named[mark[2]], step.command))
        wanted = "\n".join(step.output)
        told = f"line {step.line}: $ {step.command}\n{said}[exit {status}]"
        assert self.agrees(wanted, said.removesuffix("\n")), f"{told}\n--- the story has\n{wanted}"
        assert status == step.status, f"{told}, not {step.status}"

    def agrees(self, wanted: str, said: str) -> bool:
        """Whether the output is as written; values of named placeholders are kept."""
        fresh: dict[str, str] = {}
        pattern, end = "", 0
        for mark in MARK.finditer(wanted):
            pattern += re.escape(wanted[end : mark.start()]) + self._piece(mark, fresh)
            end = mark.end()
        found = re.fullmatch(pattern + re.escape(wanted[end:]), said)
        if found is None:
            return False
        self.named |= {name: found[name] for name in fresh}
        return True

    def _piece(self, mark: re.Match[str], fresh: dict[str, str]) -> str:
        kind, name = mark[1], mark[2]
        if name is None:
            return PLACEHOLDERS[kind]
        if name in self.named:
            return re.escape(self.named[name])
        if name in fresh:
            return f"(?P={name})"
        fresh[name] = kind
        return f"(?P<{name}>{PLACEHOLDERS[kind]})"

    def run(self, command: str) -> tuple[int, str]:
        """Run a command line: exit status, and standard output and error as a terminal would show them."""
        if assignment := VARIABLE.fullmatch(command):
            self.variables[assignment[1]] = assignment[2]
            return 0, ""
        for name, value in self.variables.items():
            command = command.replace(f"${name}", value)
        words = shlex.split(command)
        if words[:3] == ["tapekey", "target", "serve"]:
            return self._power_on(words[3])
        if words[0] == "kill":
            self.powered.pop(words[1].removeprefix("%")).close()
            return 0, ""
        if words[0] == "tapekey":
            own, _, others = command.partition(" | ")
            status, said = tapekey(shlex.split(own)[1:], self.place)
            return self._shell(others, said) if others else (status, said)
        return self._shell(command)

    def _shell(self, command: str, said: str = "") -> tuple[int, str]:
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"  # python3 is one that has `cryptography`
        done = subprocess.run(
            ["sh", "-c", command],
            cwd=self.place,
            env={**os.environ, "PATH": path},
            input=said,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    def _power_on(self, drive: str) -> tuple[int, str]:
        stack, place = ExitStack(), self.place / drive
        powered = server.powered_library if library.is_library(place) else server.powered
        stack.enter_context(powered(place))
        self.powered[drive] = stack
        return 0, f"virtual:{drive} is on\n"

    def close(self) -> None:
        """Power every drive off."""
        for stack in self.powered.values():
            stack.close()


def tapekey(words: list[str], place: Path) -> tuple[int, str]:
    """Run the program in this process, in a directory, with its streams caught."""
    source, sink, arguments = _redirected(words, place)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        said = io.BytesIO()
        screen = _stream(said)
        patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(source)))
        patch.setattr(sys, "stderr", screen)
        caught = io.BytesIO()
        output = _stream(caught) if sink else screen
        patch.setattr(sys, "stdout", output)
        status = cli.run(arguments)
        output.flush()
        if sink:
            sink.write_bytes(caught.getvalue())
        return status, said.getvalue().decode()


def _stream(raw: io.BytesIO) -> io.TextIOWrapper:
    return io.TextIOWrapper(raw, encoding="utf-8", write_through=True)


def _redirected(words: list[str], place: Path) -> tuple[bytes, Path | None, list[str]]:
    source, sink, arguments = b"", None, list[str]()
    rest = iter(words)
    for word in rest:
        if word == "<":
            source = (place / next(rest)).read_bytes()
        elif word == ">":
            sink = place / next(rest)
        else:
            arguments.append(word)
    return source, sink, arguments


@contextmanager
def telling(place: Path) -> Iterator[Teller]:
    """A story in a directory of its own; no other keystore and no configuration is in reach."""
    teller = Teller(place, {"tmp": str(place)})
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(place))
        for name in ("CREDENTIALS_DIRECTORY", "SUDO_USER"):
            patch.delenv(name, raising=False)
        try:
            yield teller
        finally:
            teller.close()


@dataclass(slots=True)
class Real(Teller):
    """The same with the console script: every command is a process of its own."""

    script: str = ""

    def run(self, command: str) -> tuple[int, str]:
        """Run `tapekey` lines by the shell too."""
        words = command.split()
        if words[0] != "tapekey" or words[1:3] == ["target", "serve"]:
            return Teller.run(self, command)
        for name, value in self.variables.items():
            command = command.replace(f"${name}", value)
        return Teller.run(self, f"exec {self.script} {command.removeprefix('tapekey ')}")

    def _power_on(self, drive: str) -> tuple[int, str]:
        stack = ExitStack()
        served = stack.enter_context(
            subprocess.Popen([self.script, "target", "serve", drive], cwd=self.place, stdout=subprocess.PIPE, text=True)
        )
        stack.callback(served.terminate)
        self.powered[drive] = stack
        assert served.stdout is not None
        return 0, served.stdout.readline()


@contextmanager
def real(place: Path, script: str) -> Iterator[Real]:
    """A story told by processes."""
    teller = Real(place, script=script)
    try:
        yield teller
    finally:
        teller.close()

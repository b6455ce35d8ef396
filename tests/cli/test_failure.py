"""The error boundary: an error becomes two lines on standard error and an exit status; a fault of ours a third kind."""

import click
import pytest

from tapekey import cli
from tapekey.cli import COMMANDS
from tapekey.cli.exit_status import BUG, INTERRUPTED, SYNTAX
from tapekey.cli.failure import Failure, Verbs
from tapekey.errors import KeyUnavailable, Refused


def raising(error: BaseException) -> Verbs:
    group = Verbs("root")

    @group.command("go")
    def go() -> None:
        raise error

    return group


def outcome(error: BaseException, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(cli, "root", raising(error))
    return cli.run(["go"])


def test_error_is_what_and_why_then_mend(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    error = Refused("cannot save", why="it holds clear data", mend="use another cartridge")

    assert outcome(error, monkeypatch) == 100
    out, err = capsys.readouterr()
    assert out == ""
    assert err == "tapekey: cannot save: it holds clear data\ntapekey: try: use another cartridge\n"


def test_error_without_mend_is_one_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert outcome(KeyUnavailable("no key opens this"), monkeypatch) == 102
    assert capsys.readouterr().err == "tapekey: no key opens this\n"


def test_text_from_outside_cannot_move_the_cursor(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    outcome(Refused("cannot save to \x1b[2J\n\u202egnp.exe", mend="\x9b31m"), monkeypatch)
    err = capsys.readouterr().err
    assert err == "tapekey: cannot save to \\x1b[2J\\n\\u202egnp.exe\ntapekey: try: \\x9b31m\n"


def test_what_nobody_foresaw_is_told_apart(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert outcome(ZeroDivisionError("division by zero"), monkeypatch) == BUG
    err = capsys.readouterr().err
    assert err.startswith("Traceback")
    assert err.endswith("tapekey: this is a fault of tapekey itself; please report the lines above\n")


def test_interruption_is_no_failure(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert outcome(KeyboardInterrupt(), monkeypatch) == INTERRUPTED
    assert capsys.readouterr().err.strip() == "tapekey: interrupted"


@pytest.mark.parametrize("line", [["nothing"], ["go", "too", "much"], ["--nothing"], []])
def test_command_line_that_is_not_understood(line: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli, "root", raising(click.UsageError("not reached")))
    assert cli.run(line) == SYNTAX


def test_failure_keeps_its_error() -> None:
    error = Refused("no", alarm=True)
    assert (Failure(error).error, Failure(error).exit_code) == (error, 101)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_noun_of_the_table_is_a_command(name: str) -> None:
    context = click.Context(cli.root)
    command = cli.root.get_command(context, name)
    assert command is not None
    assert command.name == name


def test_unknown_command_is_none() -> None:
    assert cli.root.get_command(click.Context(cli.root), "nothing") is None

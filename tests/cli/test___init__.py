"""The front door: what each command line imports, and that help is there for every command."""

import subprocess
import sys
from collections.abc import Iterator

import click
import pytest

from tapekey import cli

HEAVY = ("sqlalchemy", "cryptography", "cbor2", "tapekey.keystore", "tapekey.keys", "tapekey.target")
IMPORTED = """
import sys
from tapekey import cli
status = cli.run(sys.argv[1:])
print("--", status, *sorted(sys.modules))
"""


def imported_by(*line: str) -> tuple[int, set[str]]:
    done = subprocess.run([sys.executable, "-c", IMPORTED, *line], capture_output=True, text=True, check=True)
    _, _, told = done.stdout.rpartition("-- ")
    status, *modules = told.split()
    return int(status), set(modules)


@pytest.mark.parametrize(
    "line",
    [["--help"], ["--version"], ["drive", "list"], ["drive", "--help"], ["save", "--help"], ["nothing"]],
    ids=" ".join,
)
def test_nothing_heavy_is_imported_before_it_is_needed(line: list[str]) -> None:
    _, modules = imported_by(*line)
    assert not [name for name in HEAVY if name in modules]


def test_look_at_a_drive_needs_no_keystore(tmp_path: object) -> None:
    status, modules = imported_by("drive", "show", f"virtual:{tmp_path}")
    assert status == 97
    assert "sqlalchemy" not in modules
    assert "tapekey.target" in modules


def test_import_trap_can_catch() -> None:
    _, modules = imported_by("keystore", "status", "--store", "/nowhere", "--key-file", "/nowhere")
    assert "sqlalchemy" in modules


def commands(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    yield path
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            yield from commands(below, (*path, name))


@pytest.mark.parametrize("path", list(commands(cli.root)), ids=" ".join)
def test_every_command_has_help(path: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run([*path, "--help"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("Usage: tapekey")
    assert len(out.splitlines()) > 4


def test_no_command_at_all_shows_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run([]) == 1
    assert "Commands:" in capsys.readouterr().err

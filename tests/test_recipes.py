"""The recipes of docs/backup-software are those that run: here what needs no kernel, and of the others that they agree.

A page's first lines say where it is tried, or that it is not; the cases in the guest take commands and settings from
the same words.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tapekey.cli.hook import Call
from tests.kernel.cases import bacula
from tests.kernel.cases.agent_jobs import amanda
from tests.stories.transcript import Teller, parse
from tests.test_documents import blocks, commands

ROOT = Path(__file__).parents[1]
PLACE = ROOT / "docs" / "backup-software"
PAGES = sorted(page for page in PLACE.glob("*.md") if page.name != "README.md")
NODE = re.compile(r"/dev/tape/by-id/\S*?-(changer|nst)")


class Recipes(Teller):
    """Commands with a drive as processes of their own: what they run has the real descriptors."""

    def run(self, command: str) -> tuple[int, str]:
        if "tapekey with " not in command:
            return Teller.run(self, command)
        for name, value in self.variables.items():
            command = command.replace(f"${name}", value)
        return self._shell(command)


@contextmanager
def recipes(place: Path) -> Iterator[Recipes]:
    teller = Recipes(place)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(place))
        patch.setenv("TAPEKEY_CONFIG", str(place / "none"))
        try:
            yield teller
        finally:
            teller.close()


def page(name: str) -> str:
    return (PLACE / name).read_text()


def test_tar_recipe_for_a_virtual_drive_is_what_happens(tmp_path: Path) -> None:
    (told,) = blocks(page("tar.md"), "console")
    ran = 0
    with recipes(tmp_path) as teller:
        for step in parse(told):
            teller.tell(step)
            ran += "tapekey with" in step.command
    assert ran == 3


@pytest.mark.parametrize("file", PAGES, ids=lambda file: file.stem)
def test_page_says_first_whether_it_was_tried_and_where(file: Path) -> None:
    """Whoever was not tried says so; the tests that are named are there."""
    title, _, rest = file.read_text().partition("\n\n")
    word = re.match(r"\*\*(Tried|Not tried):\*\* (.*?)\n\n", rest, re.DOTALL)
    assert title.startswith("# ")
    assert word, file
    named = re.findall(r"`(tests/[\w/.]+)`", word[2])
    assert named
    assert all((ROOT / test).exists() for test in named)
    listed = f"[{file.name}]({file.name}) | " in page("README.md")
    assert listed


def conf(name: str) -> list[str]:
    """The settings of a page, one a line, without their places."""
    lines = [line.strip() for block in blocks(page(name), "conf") for line in block.splitlines()]
    return [NODE.sub(lambda node: f"${node[1]}", line) for line in lines if line and line not in "{}"]


def test_bacula_settings_are_those_that_run() -> None:
    ran = bacula.CONFIGURATIONS["bacula-sd.conf"] + bacula.DRIVE
    ran = (
        ran.replace("$drive\n", "$nst\n")
        .replace("$index", "0")
        .replace("$devices", "Drive-0")
        .replace("$open_wait", "5")
    )
    ran = ran.replace('"$hook"', f'"tapekey hook changer -- {bacula.SCRIPT} {bacula.WORDS}"')
    lines = {line.strip() for line in ran.splitlines()}
    assert len(conf("bacula.md")) == 16
    assert set(conf("bacula.md")) <= lines


def test_amanda_settings_are_those_that_run() -> None:
    values = {"$first": "/dev/nst0", "$second": "/dev/nst1", "$slots": "1-24", "$mtx": "/usr/local/sbin/amanda-mtx"}
    ran = amanda.SERVER
    for name, value in values.items():
        ran = ran.replace(name, value)
    lines = {line.strip() for line in ran.splitlines()}
    assert len(conf("amanda.md")) == 6
    assert set(conf("amanda.md")) <= lines


@pytest.mark.parametrize("name", ["bacula.md", "bareos.md"])
def test_changer_command_says_what_the_hook_has_to_know(name: str) -> None:
    (line,) = re.findall(r'^ *Changer Command = "(.*)"$', page(name), re.MULTILINE)
    _, words = line.split(" -- ")
    filled = {"%c": "/dev/sg1", "%o": "load", "%S": "5", "%a": "/dev/nst0", "%d": "0"}
    call = Call.parse([filled.get(word, word) for word in words.split()])
    assert call == Call("/dev/sg1", "load", "/dev/nst0", 0)


@pytest.mark.parametrize("file", [*PAGES, PLACE / "README.md"], ids=lambda file: file.stem)
def test_commands_of_a_page_exist(file: Path) -> None:
    """With their options: all but what stands behind `--` is read by the command line itself."""
    import click

    from tapekey import cli

    lines = [line for block in blocks(file.read_text(), "sh") for line in block.splitlines() if "tapekey" in line]
    for line in lines:
        words = line[line.index("tapekey") :].split(" | ")[0].split()[1:]
        verb = cli.root.get_command(click.Context(cli.root), words[0])
        assert verb is not None, line
        if not isinstance(verb, click.Group):
            verb.make_context(words[0], words[1:])
        else:
            assert f"tapekey {words[0]} {words[1]}" in set(commands()), line

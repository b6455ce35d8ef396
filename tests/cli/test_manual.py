import shutil
import subprocess
from pathlib import Path

import click
import pytest

from tapekey.cli import manual, root

PAGES = manual.pages()


def test_there_is_a_page_for_each_noun() -> None:
    names = root.list_commands(click.Context(root))
    assert set(PAGES) == {"tapekey.1", *(f"tapekey-{name}.1" for name in names)}


@pytest.mark.parametrize("name", PAGES)
def test_groff_takes_the_page_without_a_warning(name: str) -> None:
    assert shutil.which("groff"), "groff is missing"
    done = subprocess.run(
        ["groff", "-man", "-ww", "-Tascii", "-z"],
        input=PAGES[name],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_the_page_of_a_noun_has_every_verb_with_its_options() -> None:
    page = PAGES["tapekey-drive.1"]
    for words in (".SS approve", ".SS qualify", r"\-\-scratch\-serial SERIAL", r"\fBtapekey drive list\fR"):
        assert words in page


def test_the_first_page_explains_exit_statuses_once_each() -> None:
    page = PAGES["tapekey.1"]
    for status in ("0", "1", "100", "107", "125"):
        assert page.count(f".TP\n{status}\n") == 1
    assert "the drive says that it cannot encrypt" in page


def test_help_options_are_told_once() -> None:
    assert PAGES["tapekey-drive.1"].count(r"\-\-help") == 1


def test_text_cannot_become_a_request() -> None:
    @click.command(help="Line.\n\n.so /etc/passwd\n\n'ds x y\\n[.z]")
    def trick() -> None: ...

    lines = list(manual._paragraphs(trick.help or ""))
    assert lines == ["Line.", ".PP", "\\&.so /etc/passwd", ".PP", "\\&'ds x y\\en[.z]"]


def test_pages_are_written_under_their_names(tmp_path: Path) -> None:
    manual.write(tmp_path / "man1")
    assert {path.name: path.read_text() for path in (tmp_path / "man1").iterdir()} == PAGES

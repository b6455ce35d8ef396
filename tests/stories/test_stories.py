"""Every transcript in this directory is told, and must come out exactly as it is written."""

import sys
from pathlib import Path

import pytest

from tests.stories.transcript import Step, Teller, parse, real, telling

STORIES = sorted(Path(__file__).parent.glob("*.txt"))


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.stem)
def test_story_comes_out_as_it_is_written(story: Path, tmp_path: Path) -> None:
    with telling(tmp_path) as teller:
        for step in parse(story.read_text()):
            teller.tell(step)


def test_steps_are_read_with_line_output_and_status() -> None:
    text = "# for readers\n$ tapekey one\nsaid\n\nmore\n[exit 3]\n# again\n$ true\n"
    assert list(parse(text)) == [
        Step(2, "tapekey one", ("said", "", "more"), 3),
        Step(8, "true", (), 0),
    ]


WRONG = {
    "another word": ("echo told", "tolt", 0),
    "a line less": ("echo told", "", 0),
    "a line more": ("echo told", "told\ntold", 0),
    "another status": ("exit 3", "", 4),
    "no status": ("exit 3", "", 0),
    "a placeholder of another size": ("echo 0123456789abcdef", "[HEX16]", 0),
    "a name that has another value": ("echo 01234567 89abcdef", "[HEX4:a] [HEX4:a]", 0),
}


@pytest.mark.parametrize(("command", "output", "status"), WRONG.values(), ids=WRONG)
def test_story_that_does_not_come_out_fails(command: str, output: str, status: int, tmp_path: Path) -> None:
    with pytest.raises(AssertionError):
        Teller(tmp_path).tell(Step(1, command, tuple(output.split("\n")), status))


def test_named_value_stands_again_in_commands_and_output(tmp_path: Path) -> None:
    teller = Teller(tmp_path)
    teller.tell(Step(1, "echo 01234567", ("[HEX4:a]",), 0))
    teller.tell(Step(2, "echo [HEX4:a]", ("01234567",), 0))
    teller.tell(Step(3, "echo 01234567", ("[HEX4:a]",), 0))
    with pytest.raises(AssertionError):
        teller.tell(Step(4, "echo 89abcdef", ("[HEX4:a]",), 0))


@pytest.mark.long
def test_program_runs_as_a_process_of_its_own_too(tmp_path: Path) -> None:
    """One story through the console script: real processes, a drive that is really served, a real exit status."""
    tapekey = str(Path(sys.executable).with_name("tapekey"))
    with real(tmp_path, tapekey) as teller:
        for step in parse((Path(__file__).parent / "restore.txt").read_text()):
            teller.tell(step)

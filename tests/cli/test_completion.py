import os
import subprocess
import sys
from pathlib import Path

import pytest

from tapekey.cli import completion


def test_each_shell_finds_its_file(tmp_path: Path) -> None:
    completion.write(tmp_path)
    bash, zsh, fish = ((tmp_path / completion.PLACES[shell]).read_text() for shell in ("bash", "zsh", "fish"))
    assert "complete -o nosort -F _tapekey_completion tapekey" in bash
    assert zsh.startswith("#compdef tapekey")
    assert "complete --no-files --command tapekey" in fish


def test_bash_reads_its_file() -> None:
    subprocess.run(["bash", "-n"], input=completion.script("bash"), text=True, check=True, timeout=10)


@pytest.mark.parametrize(
    ("words", "wanted"),
    [("tapekey dri", "drive"), ("tapekey drive qua", "qualify"), ("tapekey drive approve --allow scsi-", "scsi-debug")],
)
def test_the_program_answers_a_tab(words: str, wanted: str) -> None:
    asked = {completion.VARIABLE: "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(len(words.split()) - 1)}
    done = subprocess.run(
        [sys.executable, "-c", "from tapekey.cli import main; main()"],
        env={**os.environ, **asked},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert wanted in [line.partition(",")[2] for line in done.stdout.splitlines()]

from pathlib import Path

import pytest
from click.testing import CliRunner

from tapekey.cli.demo import DemoFailed, demo, search


def test_a_piece_of_the_file_on_the_tape_is_found(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(bytes(range(200)))
    (tmp_path / "partition-0.log").write_bytes(b"\0" * 7 + bytes(range(32, 48)) + b"\0")
    with pytest.raises(DemoFailed, match="in clear"):
        search(tmp_path / "file", tmp_path)


def test_the_story_comes_out(tmp_path: Path) -> None:
    told = CliRunner().invoke(demo, ["--keep", str(tmp_path / "stage")], catch_exceptions=False)
    assert told.exit_code == 0, told.output
    assert "same, byte for byte" in told.output
    assert (tmp_path / "stage/restored.tar").read_bytes() == (tmp_path / "stage/backup.tar").read_bytes()
    assert not (tmp_path / "stage/keys").exists()

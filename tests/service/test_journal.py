import logging
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tapekey.service import journal


@contextmanager
def journald(path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.settimeout(5)
        listener.bind(str(path))
        yield listener


def parsed(entry: bytes) -> dict[str, str]:
    """An entry as journald reads it: lines `NAME=value`, or NAME, length and value."""
    found = {}
    while entry:
        line, _, rest = entry.partition(b"\n")
        name, equals, value = line.partition(b"=")
        if not equals:
            size = int.from_bytes(rest[:8], "little")
            value, rest = rest[8 : 8 + size], rest[8 + size + 1 :]
        found[name.decode()] = value.decode()
        entry = rest
    return found


def logged(handler: logging.Handler, level: int, text: str, **more: object) -> None:
    logger = logging.Logger("tapekey.service.worker")
    logger.addHandler(handler)
    logger.log(level, text, **more)  # type: ignore[arg-type]


def test_an_entry_has_its_fields_by_their_names(tmp_path: Path) -> None:
    told = journal.fields(
        drive="HU1", cartridge="CM9", barcode="ENC001L6", key="00ff", counter=0, generation=7, alarm=True
    )
    with journald(tmp_path / "s") as listener:
        logged(journal.Journal(tmp_path / "s"), logging.ERROR, "it is open", extra=told)
        heard = parsed(listener.recv(1 << 16))
    assert {name: heard[name] for name in heard if name.startswith("TAPEKEY_")} == {
        "TAPEKEY_DRIVE": "HU1",
        "TAPEKEY_CARTRIDGE": "CM9",
        "TAPEKEY_BARCODE": "ENC001L6",
        "TAPEKEY_KEY": "00ff",
        "TAPEKEY_COUNTER": "0",
        "TAPEKEY_GENERATION": "7",
    }
    assert (heard["MESSAGE"], heard["PRIORITY"], heard["MESSAGE_ID"]) == ("it is open", "3", journal.ALARM_ID)
    assert heard["SYSLOG_IDENTIFIER"] == "tapekey-agent"


def test_what_is_not_known_is_no_field() -> None:
    assert journal.fields(drive="HU1") == {"journal_fields": {"TAPEKEY_DRIVE": "HU1"}}


PRIORITIES = {logging.CRITICAL: "2", logging.ERROR: "3", logging.WARNING: "4", logging.INFO: "6", logging.DEBUG: "7"}


@pytest.mark.parametrize("level", PRIORITIES)
def test_levels_are_the_journals(tmp_path: Path, level: int) -> None:
    with journald(tmp_path / "s") as listener:
        logged(journal.Journal(tmp_path / "s"), level, "x")
        assert parsed(listener.recv(1 << 16))["PRIORITY"] == PRIORITIES[level]


def test_a_line_end_in_a_value_cannot_make_a_field(tmp_path: Path) -> None:
    with journald(tmp_path / "s") as listener:
        logged(journal.Journal(tmp_path / "s"), logging.INFO, "a\nPRIORITY=0", extra=journal.fields(barcode="B\nX=1"))
        heard = parsed(listener.recv(1 << 16))
    assert (heard["MESSAGE"], heard["PRIORITY"], heard["TAPEKEY_BARCODE"]) == ("a\nPRIORITY=0", "6", "B\nX=1")
    assert "X" not in heard


def test_a_large_entry_comes_as_a_sealed_file(tmp_path: Path) -> None:
    text = "x" * (1 << 21)
    with journald(tmp_path / "s") as listener:
        logged(journal.Journal(tmp_path / "s"), logging.INFO, text)
        data, (handle,), _, _ = socket.recv_fds(listener, 1 << 16, 1)
        with open(handle, "rb") as file:
            file.seek(0)
            heard = parsed(file.read())
            with pytest.raises(PermissionError):
                os.ftruncate(handle, 0)
    assert (data, heard["MESSAGE"]) == (b"", text)


def test_without_a_journal_the_line_goes_to_stderr(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    logged(journal.Journal(tmp_path / "none"), logging.ERROR, "it is\nopen")
    assert capsys.readouterr().err == "ERROR it is\\nopen\n"


def test_the_journal_is_used_only_where_stderr_leads_there(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    here, path = os.fstat(2), tmp_path / "s"
    with journald(path):
        ours = journal.handler({"JOURNAL_STREAM": f"{here.st_dev}:{here.st_ino}"}, path)
        assert isinstance(ours, journal.Journal)
    for stream in ("", "1:1", "x", f"{here.st_dev}"):
        assert not isinstance(journal.handler({"JOURNAL_STREAM": stream}, path), journal.Journal)


def test_lines_for_stderr_are_one_line_each(capsys: pytest.CaptureFixture[str]) -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(journal.Stderr())
    logged(handler, logging.WARNING, "HU1\x1b[2J\nforged")
    assert capsys.readouterr().err == "warning HU1\\x1b[2J\\nforged\n"

"""Writes the log to systemd's journal with fields that can be searched: `journalctl TAPEKEY_BARCODE=ENC001L6`.

The journal's native protocol: https://systemd.io/JOURNAL_NATIVE_PROTOCOL/. Whoever logs gives the fields with
`extra=journal.fields(drive=…)`. Where no journal listens, lines go to stderr.
"""

import array
import errno
import fcntl
import logging
import os
import socket
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

SOCKET = Path("/run/systemd/journal/socket")
ALARM_ID = "6f3c1a52e0d94b7fa8c5d2714be9360a"  # MESSAGE_ID of alarms: journalctl MESSAGE_ID=…
IDENTIFIER = "tapekey-agent"
TOO_LARGE: Final = (errno.EMSGSIZE, errno.ENOBUFS)
# fmt: off
PRIORITIES: Final = (  # syslog(3)
    (logging.CRITICAL, 2),
    (logging.ERROR,    3),
    (logging.WARNING,  4),
    (logging.INFO,     6),
    (logging.NOTSET,   7),
)
# fmt: on


def fields(
    *,
    drive: str = "",
    cartridge: str = "",
    barcode: str = "",
    key: str = "",
    counter: int | None = None,
    generation: int | None = None,
    alarm: bool = False,
) -> dict[str, object]:
    """`extra` of one log call: which drive, cartridge, key and mount it is about. `key` is an id, never a key."""
    given = {
        "TAPEKEY_DRIVE": drive,
        "TAPEKEY_CARTRIDGE": cartridge,
        "TAPEKEY_BARCODE": barcode,
        "TAPEKEY_KEY": key,
        "TAPEKEY_COUNTER": counter,
        "TAPEKEY_GENERATION": generation,
        "MESSAGE_ID": ALARM_ID if alarm else "",
    }
    return {"journal_fields": {name: str(value) for name, value in given.items() if value not in ("", None)}}


class Journal(logging.Handler):
    """Sends each record as one datagram; a large one through a memory file, as the protocol wants it."""

    def __init__(self, path: Path = SOCKET) -> None:
        super().__init__()
        self._path = path

    def emit(self, record: logging.LogRecord) -> None:
        """Send a record; if nobody takes it, stderr does."""
        try:
            _send(self._path, b"".join(_entry(record, self.format(record))))
        except OSError:
            with suppress(OSError):
                sys.stderr.write(_one_line(f"{record.levelname} {self.format(record)}") + "\n")


class Stderr(logging.Formatter):
    """One line for each record, whatever a drive put into its names; a traceback keeps its lines."""

    def format(self, record: logging.LogRecord) -> str:
        head = _one_line(f"{record.levelname.lower()} {record.getMessage()}")
        return f"{head}\n{self.formatException(record.exc_info)}" if record.exc_info else head


def handler(environ: Mapping[str, str] = os.environ, path: Path = SOCKET) -> logging.Handler:
    """The journal's, where stderr leads there (JOURNAL_STREAM, systemd.exec(5)); else one for stderr."""
    if _leads_to_journal(environ.get("JOURNAL_STREAM", "")) and path.exists():
        return Journal(path)
    plain = logging.StreamHandler()
    plain.setFormatter(Stderr())
    return plain


def _leads_to_journal(stream: str) -> bool:
    try:
        device, inode = map(int, stream.split(":"))
        found = os.fstat(2)
    except (ValueError, OSError):
        return False
    return (found.st_dev, found.st_ino) == (device, inode)


def _entry(record: logging.LogRecord, message: str) -> Iterator[bytes]:
    priority = next(number for level, number in PRIORITIES if record.levelno >= level)
    yield _field("MESSAGE", message)
    yield _field("PRIORITY", str(priority))
    yield _field("SYSLOG_IDENTIFIER", IDENTIFIER)
    yield _field("CODE_FILE", record.pathname)
    yield _field("CODE_LINE", str(record.lineno))
    yield _field("CODE_FUNC", record.funcName or "")
    yield _field("THREAD_NAME", record.threadName or "")
    more = getattr(record, "journal_fields", {})
    for name, value in more.items():
        yield _field(name, value)


def _field(name: str, value: str) -> bytes:
    """`NAME=value`, or with its length where the value has several lines."""
    data = value.encode("utf-8", "replace")
    if b"\n" in data:
        return name.encode() + b"\n" + len(data).to_bytes(8, "little") + data + b"\n"
    return name.encode() + b"=" + data + b"\n"


def _send(path: Path, entry: bytes) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        line.setblocking(False)
        line.connect(str(path))
        try:
            line.send(entry)
        except OSError as error:
            if error.errno not in TOO_LARGE:
                raise
            _send_as_file(line, entry)


def _send_as_file(line: socket.socket, entry: bytes) -> None:
    """Through a sealed memory file, whose descriptor is all that the datagram carries."""
    handle = os.memfd_create(IDENTIFIER, os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        with open(handle, "wb", closefd=False) as file:
            file.write(entry)
        _seal(handle)
        line.sendmsg([], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [handle]))])
    finally:
        os.close(handle)


def _seal(handle: int) -> None:
    fcntl.fcntl(
        handle, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SEAL
    )


def _one_line(text: str) -> str:
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)

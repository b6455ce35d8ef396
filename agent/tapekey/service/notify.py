"""Tells systemd how the agent is (sd_notify(3)): one datagram of NAME=value lines to the socket it named.

Never MAINPID: the agent is the process that was started. Nothing here may stop the agent, so a datagram that cannot be
sent is lost.
"""

import os
import socket
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from tapekey.service.view import AgentView, DriveView

LONGEST_STATUS = 2048


@dataclass(frozen=True, slots=True)
class Notifier:
    """Where to tell it; empty: nobody wants to know."""

    address: str

    def ready(self) -> None:
        """Started, or done with reloading: units that wait for this one may start."""
        self._send("READY=1")

    def status(self, text: str) -> None:
        """What `systemctl status` shows."""
        self._send(f"STATUS={_line(text)}")

    def watchdog(self) -> None:
        """Alive; to be said at least every half of `watchdog_seconds`."""
        self._send("WATCHDOG=1")

    def stopping(self) -> None:
        """Told to end, and about to."""
        self._send("STOPPING=1")

    def reloading(self, monotonic: float) -> None:
        """Reads its settings again since time.monotonic(): Type=notify-reload wants to know since when."""
        self._send(f"RELOADING=1\nMONOTONIC_USEC={int(monotonic * 1_000_000)}")

    def _send(self, lines: str) -> None:
        if not self.address:
            return
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as to_systemd:
            to_systemd.setblocking(False)
            to_systemd.sendto(lines.encode(), _place(self.address))


def from_environment(environ: Mapping[str, str] = os.environ) -> Notifier:
    """The socket that systemd named: a path, or an abstract name behind an @."""
    address = environ.get("NOTIFY_SOCKET", "")
    return Notifier(address if address.startswith(("/", "@")) else "")


def watchdog_seconds(environ: Mapping[str, str] = os.environ, pid: int | None = None) -> float | None:
    """How long systemd waits for a sign of life (sd_watchdog_enabled(3)); None: it does not watch this process."""
    if environ.get("WATCHDOG_PID", str(pid or os.getpid())) != str(pid or os.getpid()):
        return None
    text = environ.get("WATCHDOG_USEC", "")
    return int(text) / 1_000_000 if text.isascii() and text.isdigit() and int(text) else None


def told(view: AgentView) -> str:
    """All drives on one line, those that want somebody first."""
    if not view.drives:
        return "no drives"
    worst_first = sorted(view.drives, key=lambda drive: (not drive.alarm, not drive.prognosis, drive.serial))
    return ("the keystore does not answer; " if view.manager else "") + "; ".join(map(_drive, worst_first))


def _drive(drive: DriveView) -> str:
    volser = f" {drive.volser}" if drive.volser else ""
    return f"{drive.serial}{volser}: {drive.state.value}{' (ALARM)' if drive.alarm else ''}"


def _place(address: str) -> str | bytes:
    return b"\0" + address[1:].encode() if address.startswith("@") else address


def _line(text: str) -> str:
    """One line, so that no name that came from a drive can say more to systemd."""
    return "".join(c if c.isprintable() else "?" for c in text)[:LONGEST_STATUS]

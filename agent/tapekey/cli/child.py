"""Runs an operator's command as if it had been called without us: its streams, its signals, its exit status.

It gets none of our descriptors but the standard three.
"""

import os
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Final

import click

NOT_FOUND: Final = 127  # as a shell says that there is no such program
NOT_STARTED: Final = 126
SIGNALLED: Final = 128
# A terminal sends INT and QUIT to both of us; what somebody sends to us alone is passed on.
BY_TERMINAL: Final = frozenset({signal.SIGINT, signal.SIGQUIT})
PASSED_ON: Final = (signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, *BY_TERMINAL)


def run(command: Sequence[str]) -> int:
    """Run it to its end. Its exit status; 128 and the signal's number if one ended it."""
    early: list[int] = []
    children: list[subprocess.Popen[bytes]] = []

    def pass_on(number: int, _: FrameType | None) -> None:
        if not children:
            early.append(number)
        elif not (number in BY_TERMINAL and _in_foreground()):
            children[0].send_signal(number)

    with _noticed(pass_on):
        try:
            children.append(subprocess.Popen(command))
        except OSError as error:
            click.echo(f"tapekey: cannot run {command[0]}: {error.strerror}", err=True)
            return NOT_FOUND if isinstance(error, FileNotFoundError) else NOT_STARTED
        for number in early:
            children[0].send_signal(number)
        status = children[0].wait()
    return status if status >= 0 else SIGNALLED - status


@contextmanager
def _noticed(handler: "signal._HANDLER") -> Iterator[None]:
    """Notice the signals; those that whoever called us ignores stay ignored."""
    before = {one: old for one in PASSED_ON if (old := signal.getsignal(one)) != signal.SIG_IGN}
    for one in before:
        signal.signal(one, handler)
    try:
        yield
    finally:
        for one, old in before.items():
            signal.signal(one, old)


def _in_foreground() -> bool:
    """Whether a terminal's keys reach our process group, and so the command too."""
    with suppress(OSError):
        terminal = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY | os.O_CLOEXEC)
        try:
            return os.tcgetpgrp(terminal) == os.getpgrp()
        finally:
            os.close(terminal)
    return False

"""What commands ask the agent, where one runs. Nothing that needs a keystore or a drive is imported here.

No answer is no success: only that no agent is there at all is told from an error, since then a command does its work
itself.
"""

import os
from collections.abc import Mapping
from typing import Any, Final

import click

from tapekey import config
from tapekey.errors import AgentMissing, DriveLied
from tapekey.service import asking

MARGIN: Final = 15.0  # beyond what the agent was given itself
SHORTLY: Final = 10.0

WRITABLE: Final = frozenset({"ready to write"})
READABLE: Final = frozenset({"ready to write", "ready to read", "closed"})
ALONE: Final = frozenset({"left alone", "hands-off"})

Answer = Mapping[str, Any]

seconds_option = click.option(
    "--seconds",
    type=click.FloatRange(min=0.0),
    default=7500.0,
    show_default=True,
    help="How long the agent may take: the longest load, and what software keeps the drive meanwhile.",
)


def ready(drive: str, *, seconds: float, writes: bool, **more: object) -> Answer | None:
    """Have the agent make a drive ready, and return when software may open it. None: no agent runs.

    `writes`: a drive that can only be read is an error.
    """
    told = ask("ready", seconds + MARGIN, drive=name_of(drive), seconds=seconds, **more)
    if told is None:
        return None
    wanted = (WRITABLE if writes else READABLE) | ALONE
    if told.get("phase") not in wanted:
        raise DriveLied(
            f"the agent says that drive {drive} is {told.get('phase')!r}",
            why=f"none of {', '.join(sorted(wanted))}",
            mend="look at tapekey status",
        )
    return told


def ask(verb: str, timeout: float = SHORTLY, **arguments: object) -> Answer | None:
    """Have it do anything else. None: no agent runs."""
    try:
        return asking.ask(config.read().agent.socket, verb, timeout, **arguments)
    except AgentMissing:
        return None


def name_of(drive: str) -> str:
    """The drive's name for a process in another directory."""
    scheme, colon, place = drive.partition(":")
    return f"virtual:{os.path.realpath(place)}" if scheme == "virtual" and colon else drive

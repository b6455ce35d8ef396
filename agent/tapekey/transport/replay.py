"""A transport that answers from a trace: the same commands in the same order get the same answers.

Data that the trace left out (a key, a block) is not compared, and a block is played back as zeros of its length.
"""

import json
from collections.abc import Iterable
from pathlib import Path

from tapekey.errors import Malformed, TransportFailed
from tapekey.exchange import Command, Reply
from tapekey.secret import Secret

LONGEST_LINE = 1 << 22


class Replay:
    """Plays a trace. Every command must be the next of the trace."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._steps = [_step(number, line) for number, line in enumerate(lines, 1) if line.strip()]
        self._next = 0

    def execute(self, command: Command) -> Reply:
        """The recorded answer, or `TransportFailed` where the trace goes another way."""
        if self._next >= len(self._steps):
            raise _strayed("the trace has ended")
        step = self._steps[self._next]
        if step["cdb"] != command.cdb.hex():
            raise _strayed(f"step {self._next + 1} is {step['cdb']}, not {command.cdb.hex()}")
        if not _same_data(step.get("out", ""), command):
            raise _strayed(f"step {self._next + 1} sends other data")
        self._next += 1
        if "failed" in step:
            raise TransportFailed("the command was not delivered", why="so it went when the trace was made")
        return _reply(step)


def load(path: str | Path) -> Replay:
    """Read a trace from a file."""
    with Path(path).open(encoding="ascii", errors="replace") as file:
        return Replay(file)


def _step(number: int, line: str) -> dict[str, object]:
    if len(line) > LONGEST_LINE:
        raise Malformed(f"line {number} of the trace is too long")
    try:
        step = json.loads(line)
        sound = isinstance(step, dict) and isinstance(step["cdb"], str)
        if sound and "failed" not in step:
            _reply(step)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise Malformed(f"line {number} of the trace cannot be read", why=str(error)) from error
    if not sound:
        raise Malformed(f"line {number} of the trace is no step")
    return step  # type: ignore[no-any-return]


def _reply(step: dict[str, object]) -> Reply:
    status, data, sense = step["status"], step["in"], step["sense"]
    if not isinstance(status, int) or not isinstance(sense, str) or not isinstance(data, str | int):
        raise ValueError("status, in or sense is of the wrong type")
    if isinstance(data, int) and not 0 <= data <= 1 << 24:
        raise ValueError("a block cannot be so long")
    return Reply(status, bytes(data) if isinstance(data, int) else bytes.fromhex(data), bytes.fromhex(sense))


def _same_data(recorded: object, command: Command) -> bool:
    if isinstance(recorded, int):
        return recorded == len(command.data_out)
    return not isinstance(command.data_out, Secret) and bytes(command.data_out).hex() == recorded


def _strayed(why: str) -> TransportFailed:
    return TransportFailed("the replay does not fit what is asked of it", why=why)

"""A transport that writes down what passes through it, one JSON object a line.

Key material cannot appear: a `Secret` shows its length only, and so does everything sent by SECURITY PROTOCOL OUT
and the data of READ and WRITE. `replay` plays such a file back.
"""

import json
from collections.abc import Callable

from tapekey.errors import TransportFailed
from tapekey.exchange import Command, Reply, Transport
from tapekey.secret import Secret

# READ(6), READ(16), READ REVERSE, RECOVER BUFFERED DATA, WRITE(6), WRITE(16), SECURITY PROTOCOL OUT
SILENT_IN = frozenset({0x08, 0x88, 0x0F, 0x14})
SILENT_OUT = frozenset({0x0A, 0x8A, 0xB5})


class Trace:
    """Passes commands on to `inner` and writes a line for each."""

    def __init__(self, inner: Transport, write: Callable[[str], None]) -> None:
        self._inner = inner
        self._write = write

    def execute(self, command: Command) -> Reply:
        """Execute, then write the line; a failure to deliver is written too."""
        try:
            reply = self._inner.execute(command)
        except TransportFailed as error:
            self._write(json.dumps({**_asked(command), "failed": type(error).__name__}) + "\n")
            raise
        self._write(json.dumps({**_asked(command), **_answered(command, reply)}) + "\n")
        return reply


def _asked(command: Command) -> dict[str, object]:
    out = command.data_out
    silent = isinstance(out, Secret) or command.cdb[0] in SILENT_OUT
    return {
        "cdb": command.cdb.hex(),
        "out": len(out) if isinstance(out, Secret) or silent else bytes(out).hex(),
        "in_max": command.data_in_max,
        "timeout": command.timeout,
    }


def _answered(command: Command, reply: Reply) -> dict[str, object]:
    silent = command.cdb[0] in SILENT_IN
    return {
        "status": reply.status,
        "in": len(reply.data_in) if silent else reply.data_in.hex(),
        "sense": reply.sense.hex(),
    }

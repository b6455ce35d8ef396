"""A virtual drive behind its socket, and its two sorts of visitors: Debian's programs, and tapekey's own command.

Debian's programs run unmodified under umockdev (see `bridge`) and take the drive for /dev/sg0 and /dev/nst0. Each is
a process with a time limit, and nothing of it is left when the limit is reached. tapekey's verbs run in this process
through the entry of its console script; they reach the drive through the same socket.
"""

import io
import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from tapekey import cli
from tapekey.drive import load
from tapekey.exchange import Transport
from tapekey.target import cartridge, machine, server
from tapekey.target.machine import Machine
from tapekey.target.personality import PERSONALITIES, replace

ROOT = Path(__file__).parents[2]
BRIDGE = ("umockdev-wrapper", "/usr/bin/python3", str(ROOT / "tests" / "real" / "bridge.py"))
AS_ROOT = () if os.geteuid() == 0 else ("unshare", "--map-root-user")  # stenc refuses to work for anybody else
SECONDS = 75.0  # beyond the bridge's own limit for the program that it runs
SERIAL = "TV00000001"
VOLSER = "ENC001L6"
# Bytes that do not compress: in clear they would lie on the medium as they are.
PLAIN = random.Random(100).randbytes(6_900)
CAPACITY = 64 << 20


@dataclass(frozen=True, slots=True)
class Ran:
    """What a program left behind."""

    status: int
    out: bytes
    err: bytes

    @property
    def text(self) -> str:
        """Both streams, for looking into."""
        return (self.out + self.err).decode("utf-8", "backslashreplace")

    def line(self, label: str) -> str:
        """What stands behind the first `label` of the output."""
        found = [line.split(label, 1)[1].strip() for line in self.text.splitlines() if label in line]
        assert found, f"no {label!r} in: {self.text}"
        return found[0]


def run(*command: object, stdin: bytes = b"") -> Ran:
    """Run a program to its end, or end it with all that it started."""
    words = [str(word) for word in command]
    pipe = subprocess.PIPE
    with subprocess.Popen(words, stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True) as process:
        try:
            out, err = process.communicate(stdin, timeout=SECONDS)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
    return Ran(process.returncode, out, err)


def tapekey(*words: object, stdin: bytes = b"") -> Ran:
    """Run one command line of tapekey."""
    out, err = io.BytesIO(), io.BytesIO()
    with (
        redirect_stdout(io.TextIOWrapper(out, write_through=True)),
        redirect_stderr(io.TextIOWrapper(err, write_through=True)),
        mock.patch.object(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin))),
    ):
        status = cli.run([str(word) for word in words])
        return Ran(status, out.getvalue(), err.getvalue())


@dataclass(frozen=True, slots=True)
class Bench:
    """One powered virtual drive with a cartridge in it, and a keystore that may be used with it."""

    directory: Path
    machine: Machine
    keystore: Path

    @property
    def uri(self) -> str:
        return f"virtual:{self.directory / 'drive'}"

    @property
    def host(self) -> Transport:
        """Our own way to the drive: the same initiator as everybody else here."""
        return self.machine.transport()

    def settle(self) -> None:
        """Take the pending unit attentions, as a kernel does when it opens the device."""
        load.presence(self.host)

    def real(self, *command: object, stdin: bytes = b"") -> Ran:
        """Run one of Debian's programs."""
        return run(*BRIDGE, self.directory / "drive" / machine.SOCKET, *command, stdin=stdin)

    def stenc(self, *options: object) -> Ran:
        return self.real(*AS_ROOT, "stenc", "-f", "/dev/nst0", *options)

    def raw(self, cdb: str, *, room: int = 0, out: bytes = b"") -> Ran:
        """Send one command with sg_raw."""
        receive = ("-r", room) if room else ()
        send = ("-s", len(out)) if out else ()
        return self.real("sg_raw", "-v", *receive, *send, "/dev/sg0", *cdb.split(), stdin=out)

    def tapekey(self, *words: object, stdin: bytes = b"") -> Ran:
        """Run a verb of tapekey on the drive; those of a group are given as two words."""
        return tapekey(*words, self.uri, stdin=stdin)

    def keyed(self, *words: object) -> Ran:
        """The same for verbs that need the keystore."""
        return self.tapekey(*words, *opening(self.keystore))

    def told(self, *words: object) -> dict[str, Any]:
        """What a verb that needs no keystore prints as JSON."""
        return _facts(self.tapekey(*words, "--json"))

    def status(self) -> dict[str, Any]:
        """What `tapekey drive status` says."""
        return _facts(self.keyed("drive", "status", "--json"))

    def write(self, content: bytes = PLAIN) -> None:
        """Write a file under whatever key stands in the drive, and rewind."""
        written = self.tapekey("tape", "write", "--block", 4096, stdin=content)
        assert written.status == 0, written.text
        assert self.raw("01 00 00 00 00 00").status == 0

    def key_file(self, key: bytes, description: str = "") -> Path:
        """A key file as stenc reads it: hex digits, and a description that becomes the U-KAD."""
        place = self.directory / f"{description or key.hex()}.key"
        place.touch(mode=0o600)
        place.write_text(f"{key.hex()}\n{description}\n")
        return place


def opening(keystore: Path) -> tuple[object, ...]:
    """The options that open a keystore of `new_keystore`."""
    return "--store", keystore, "--key-file", keystore.with_suffix(".key")


def new_keystore(place: Path) -> None:
    """Make a keystore with a rule that whatever is called ENC must be encrypted."""
    key_file = place.with_suffix(".key")
    key_file.touch(mode=0o600)
    key_file.write_bytes(os.urandom(32))
    for words in (
        ("keystore", "init", "--unsafe-single-copy"),
        ("rule", "add", "ENC*", "--require", "--recipient", "site"),
    ):
        done = tapekey(*words, *opening(place))
        assert done.status == 0, done.text


@contextmanager
def powered(directory: Path, name: str, keystore: Path, **knobs: object) -> Iterator[Bench]:
    """A served drive of that personality with a blank cartridge of its generation, its attentions taken."""
    facts = replace(PERSONALITIES[name], **knobs)
    machine.create(directory / "drive", facts, serial=SERIAL)
    cartridge.create(directory / "cartridge", facts.generation, VOLSER, capacity=CAPACITY, margin=1 << 20)
    with server.powered(directory / "drive") as opened:
        opened.insert(directory / "cartridge")
        bench = Bench(directory, opened, keystore)
        bench.settle()
        yield bench


def _facts(done: Ran) -> dict[str, Any]:
    assert done.status == 0, done.text
    facts = json.loads(done.out)
    assert isinstance(facts, dict)
    return facts

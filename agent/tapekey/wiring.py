"""Puts parts together: names from outside become open stores and drives. Only cli and service import it."""

import os
import re
import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tapekey.errors import Usage
from tapekey.exchange import Transport
from tapekey.secret import Secret

if TYPE_CHECKING:
    from tapekey.config import Config
    from tapekey.keystore.slots import Opener
    from tapekey.manager.local import LocalManager
    from tapekey.transport.iscsi import Chap

CREDENTIAL = "tapekey-root"
CHAP_FILE = "TAPEKEY_ISCSI_CHAP_FILE"
INITIATOR_FILE = Path("/etc/iscsi/initiatorname.iscsi")  # open-iscsi's
OWN_NAME = "iqn.2026-11.invalid.tapekey"  # of a domain that nobody has (RFC 2606)
STANDARD_INPUT = "-"
LONGEST_PASSPHRASE = 4096


@dataclass(frozen=True, slots=True)
class Access:
    """A keystore and what opens it: a passphrase file (`-` is standard input), a key file, or systemd's credential."""

    store: Path
    passphrase_file: str | None = None
    key_file: Path | None = None


def configured(settings: "Config") -> Access:
    """The keystore that the configuration names, and what it names to open it."""
    passphrase = str(settings.passphrase_file) if settings.passphrase_file else None
    return Access(settings.store, passphrase, settings.key_file)


def read_passphrase(file: str) -> Secret:
    """The first line of a file, without its line end; empty is refused."""
    try:
        with nullcontext(sys.stdin.buffer) if file == STANDARD_INPUT else open(file, "rb") as source:
            line = bytearray(source.readline(LONGEST_PASSPHRASE))
    except OSError as error:
        raise Usage(f"cannot read the passphrase from {file}", why=error.strerror or str(error)) from error
    while line and line[-1] in b"\r\n":
        line.pop()
    if not line:
        raise Usage("the passphrase is empty", mend="put it on the first line of the file")
    return Secret.taken_from(line)


def opens(access: Access) -> bool:
    """Whether anything was given that could open the store."""
    return bool(access.key_file or access.passphrase_file or os.environ.get("CREDENTIALS_DIRECTORY"))


def openers(access: Access) -> "list[Opener]":
    """What may unlock the store, in the order in which it was named."""
    from tapekey.keystore import slots

    found: list[Opener] = []
    if access.key_file:
        found.append(slots.KeyFile(access.key_file))
    if access.passphrase_file:
        found.append(slots.Passphrase(read_passphrase(access.passphrase_file)))
    if not found and os.environ.get("CREDENTIALS_DIRECTORY"):
        found.append(slots.credential(CREDENTIAL, os.environ))
    if not found:
        raise Usage("nothing is given that opens the keystore", mend="--passphrase-file FILE, or --key-file FILE")
    return found


@contextmanager
def manager(access: Access) -> "Iterator[LocalManager]":
    """The embedded key manager over an opened keystore."""
    from tapekey.manager.local import open_manager

    with open_manager(access.store, openers(access)) as opened:
        yield opened


@contextmanager
def drive(uri: str, trace: Path | None = None, *, doubtful: bool = False) -> Iterator[Transport]:
    """A drive by its URI; with `trace`, everything but secrets and tape data is written there.

    One of two that go by one name is refused, unless it is only to be looked at (`doubtful`).
    """
    with ExitStack() as stack:
        transport = stack.enter_context(_reach(uri, doubtful))
        if trace:
            from tapekey.transport.trace import Trace

            transport = Trace(transport, stack.enter_context(_private_file(trace)).write)
        yield transport


@contextmanager
def drive_alone(uri: str, trace: Path | None = None) -> Iterator[Transport]:
    """A drive that is to be changed: nobody else of ours works on it meanwhile."""
    from tapekey import config, turns
    from tapekey.drive.identity import identify

    place = turns.directory(system=config.read().agent.runtime)
    with drive(uri, trace) as transport, turns.turn(identify(transport).serial, place, who="the command line"):
        yield transport


@contextmanager
def _reach(uri: str, doubtful: bool) -> Iterator[Transport]:
    scheme, _, place = uri.partition(":")
    if scheme == "virtual" and place:
        with _virtual(Path(place)) as transport:
            yield transport
    elif scheme == "iscsi" and place:
        with _iscsi(uri) as session:
            yield session
    elif scheme == "replay" and place:
        yield _replayed(place)
    elif uri.startswith("/dev/"):
        with _node(uri, doubtful) as device:
            yield device
    else:
        raise Usage(
            f"{uri!r} names no drive", mend="give a /dev node, iscsi://HOST/TARGET/LUN, virtual:DIR or replay:FILE"
        )


@contextmanager
def _node(path: str, doubtful: bool) -> Iterator[Transport]:
    """The sg node behind any name of the drive: a tape node would make its driver wait, or be busy.

    The driver itself looks first, since it is told of a new cartridge only if we are not.
    """
    from tapekey import host
    from tapekey.discovery.resolve import resolve
    from tapekey.transport import tape_driver

    node = resolve(path)
    if not doubtful:
        host.demand_unique(node)
    with ExitStack() as stack:
        device = stack.enter_context(host.open_node(node.path))
        yield stack.enter_context(tape_driver.considerate(device, f"/dev/{node.nst}")) if node.nst else device


def _replayed(file: str) -> Transport:
    from tapekey.transport.replay import load

    try:
        return load(file)
    except OSError as error:
        raise Usage(f"cannot read the trace {file}", why=error.strerror or str(error)) from error


def link(uri: str) -> str:
    """How a drive is attached, in the words of `drive approve --allow`; empty: it is in this host's memory."""
    if uri.startswith("/dev/"):
        from tapekey.discovery.resolve import resolve

        return resolve(uri).link.value
    return "iscsi" if uri.startswith("iscsi:") else ""


@contextmanager
def _iscsi(uri: str) -> Iterator[Transport]:
    """A session of this process, as the initiator that the configuration names.

    To the drive it is new, and the first command of a new one is told just that (6/29/00), which nobody needs to hear.
    """
    from tapekey import config
    from tapekey.drive import load
    from tapekey.errors import DeviceError
    from tapekey.transport import iscsi

    settings = config.read()
    with ExitStack() as stack:
        file = os.environ.get(CHAP_FILE) or settings.iscsi_chap_file
        chap = stack.enter_context(_chap(Path(file))) if file else None
        device = stack.enter_context(iscsi.open_device(uri, settings.iscsi_initiator_name or _initiator(), chap))
        with suppress(DeviceError):  # whatever else it says, it says again
            load.presence(device)
        yield device


@contextmanager
def _chap(file: Path) -> "Iterator[Chap]":
    """Who we are to the target, and who it has to be: a CHAP file of one user, as `target serve` reads it."""
    from tapekey.target import portal_access
    from tapekey.transport.iscsi import Chap

    found = portal_access.chap(file)
    if len(found.users) != 1:
        raise Usage(f"the CHAP file {file} names several users", mend="leave the one that this host logs in as")
    (user,), target = found.users, found.target
    with Secret(user.secret) as ours, Secret(target.secret if target else b"") as theirs:
        yield Chap(user.name, ours, target.name if target else "", theirs if target else None)


def _initiator() -> str:
    """This host's iSCSI name: open-iscsi's if it has one that we may read, else one made from the host's name."""
    with suppress(OSError, UnicodeDecodeError):
        for line in INITIATOR_FILE.read_text().splitlines():
            name, _, value = line.partition("=")
            if name.strip() == "InitiatorName" and value.strip():
                return value.strip()
    return f"{OWN_NAME}:{re.sub('[^a-z0-9.-]', '-', socket.gethostname().lower()) or 'host'}"


@contextmanager
def _virtual(directory: Path) -> Iterator[Transport]:
    """Through the socket of a drive that is powered on, else a drive powered on for this command only."""
    from tapekey.target import machine
    from tapekey.transport.socket import connect

    if machine.served(directory):
        with connect(directory / machine.SOCKET) as connection:
            yield connection
    else:
        with machine.open(directory) as powered:
            yield powered.transport()


@contextmanager
def _private_file(path: Path) -> "Iterator[_Lines]":
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise Usage(f"cannot write the trace {path}", why=error.strerror or str(error)) from error
    try:
        yield _Lines(handle)
    finally:
        os.close(handle)


class _Lines:
    def __init__(self, handle: int) -> None:
        self._handle = handle

    def write(self, line: str) -> None:
        os.write(self._handle, line.encode())

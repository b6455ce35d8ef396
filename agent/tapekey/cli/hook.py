"""`tapekey hook`: stands between backup software and what it calls, so that it goes on only when a drive is ready.

The changer command of Bacula and Bareos is wrapped as it is configured; what it prints and how it ends stays its own.
"""

import subprocess
from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NoReturn

import click

from tapekey import turns, wiring
from tapekey.cli.options import allow_virtual_option, clear_key_option, store_options, virtual_allowed, way
from tapekey.errors import DriveUnknown, TapekeyError, Usage
from tapekey.wiring import Access

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tapekey.drive.in_library import Bay
    from tapekey.exchange import Transport

LOAD: Final = "load"
UNLOAD: Final = "unload"
WORDS: Final = "PROGRAM CHANGER OPERATION SLOT DEVICE INDEX"
NOT_FOUND: Final = 127  # as a shell says that there is no such program
SIGNALLED: Final = 128


@click.group()
def hook() -> None:
    """What backup software calls: changer."""


@hook.command(context_settings={"allow_interspersed_args": False})
@click.argument("command", nargs=-1, required=True, metavar=f"-- {WORDS}...")
@allow_virtual_option
@clear_key_option
@store_options
def changer(access: Access, command: tuple[str, ...], allow_virtual: bool, allow_clear_key: str | None) -> None:
    """Run a changer command of Bacula or Bareos, and set the key of the drive that it has loaded.

    After a successful `load` the cartridge is made ready as by `tapekey save`, or for reading only as by `tapekey
    restore`, and this returns when the drive is ready; where neither may be, or it is an alarm, it fails. Before an
    `unload` the drive's account is taken. Everything else is passed on. It ends as the changer command ended.
    """
    call = Call.parse(command)
    if call and call.operation == UNLOAD:
        _account(access, call)
    status = _run(command)
    if call and call.operation == LOAD and status == 0:
        _key(access, call, virtual_allowed(allow_virtual), allow_clear_key)
    _exit(status)


@dataclass(frozen=True, slots=True)
class Call:
    """A changer command's words as both document them: %c %o %S %a %d, and more that does not matter here."""

    changer: str
    operation: str
    device: str
    drive: int

    @classmethod
    def parse(cls, words: Sequence[str]) -> "Call | None":
        """None: it is about no drive. Usage: it is, and does not say which."""
        operation = words[2] if len(words) > 2 else ""
        if operation not in (LOAD, UNLOAD):
            return None
        if len(words) < 6 or not words[5].isdigit():
            raise Usage(
                f"the changer command `{operation}` does not say which drive",
                why=f"{len(words)} words, not at least {WORDS}",
                mend='Changer Command = "tapekey hook changer … -- /etc/bacula/scripts/mtx-changer %c %o %S %a %d"',
            )
        return cls(words[1], operation, words[4], int(words[5]))


def _run(command: Sequence[str]) -> int:
    """Run the changer command with our own input and output. Its exit status."""
    try:
        status = subprocess.run(command, check=False).returncode
    except OSError as error:
        click.echo(f"tapekey: cannot run {command[0]}: {error.strerror}", err=True)
        return NOT_FOUND
    return status if status >= 0 else SIGNALLED - status


def _exit(status: int) -> NoReturn:
    click.get_current_context().exit(status)


def _key(access: Access, call: Call, allow_virtual: bool, allow_clear_key: str | None) -> None:
    """Make the loaded cartridge ready: for writing if that may be, else for reading."""
    from tapekey.mount.options import Options
    from tapekey.mount.ready import ready
    from tapekey.mount.restore import Restored
    from tapekey.policy.facts import Guard

    bay = _bay(call)
    options = Options(
        volsers=(bay.barcode,),
        library=bay.library,
        allow_virtual=allow_virtual,
        guards=frozenset({Guard.HOOK}),
        way=way(call.device, allow_clear_key),
    )
    with wiring.manager(access) as manager, _drive(call, bay) as transport:
        done = ready(transport, manager, options)
    if isinstance(done, Restored) and done.not_written:
        click.echo(f"tapekey: for reading only: {done.not_written}", err=True)


def _account(access: Access, call: Call) -> None:
    """Take the drive's account and unload the cartridge. What stands in the way of that is told, and keeps none in."""
    from tapekey.mount.unload import unload

    try:
        with wiring.manager(access) as manager, _drive(call, _bay(call)) as transport:
            unload(transport, manager)
    except TapekeyError as error:
        click.echo(f"tapekey: no account was taken: {error}", err=True)


def _bay(call: Call) -> "Bay":
    from tapekey.drive import in_library

    with wiring.drive(call.changer, doubtful=True) as changer:
        return in_library.bay(changer, call.drive)


@contextmanager
def _drive(call: Call, bay: "Bay") -> "Iterator[Transport]":
    """The device that was named, if the library says that it is the one in that place."""
    from tapekey.drive.identity import identify

    with wiring.drive(call.device) as transport:
        who = identify(transport)
        if not bay.holds(who):
            raise DriveUnknown(
                f"{call.device} is not the library's drive number {call.drive}",
                why=f"it is drive {who}, and the library has another at element {bay.address}",
                mend="put archive devices and drive indexes in the same order; see: mtx status, tapekey drive list",
            )
        with turns.turn(who.serial, who="tapekey hook"):
            yield transport

"""`tapekey with`: a command between "the drive is ready" and the account of what was done to the cartridge.

The command gets the drive as it would have it without us: no key, no descriptor of ours. The key stays in the drive
when the command has ended; it goes with the cartridge, never before.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

import click

from tapekey import wiring
from tapekey.cli import agent_call, child
from tapekey.cli.options import (
    allow_virtual_option,
    clear_key_option,
    drive_argument,
    store_options,
    virtual_allowed,
    way,
)
from tapekey.cli.render import clean
from tapekey.errors import AgentMissing, Refused, TapekeyError, Usage
from tapekey.wiring import Access

if TYPE_CHECKING:
    from tapekey.exchange import Transport
    from tapekey.manager.questions import Mount

SAVE, RESTORE = "save", "restore"
DOUBTFUL = frozenset({"to be verified again", "refused", "failed"})
LONGEST_LOOK = 60.0  # at a drive that no software has any more


def asked_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """What is asked of the drive, and what the caller knows of the cartridge."""
    for option in (
        click.option("--intent", type=click.Choice((SAVE, RESTORE)), default=SAVE, show_default=True),
        click.option("--volser", multiple=True, help="What the label or the changer says the barcode is (repeatable)."),
        click.option("--pool", default="", help="The media pool that the cartridge is in."),
        click.option("--library", default="", help="The serial number of the library."),
        agent_call.seconds_option,
    ):
        function = option(function)
    return function


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked of which drive."""

    drive: str
    intent: str
    volsers: tuple[str, ...]
    pool: str
    library: str
    seconds: float

    def by_agent(self) -> agent_call.Answer | None:
        """Have the agent make the drive ready; None: none runs."""
        return agent_call.ready(
            self.drive,
            seconds=self.seconds,
            writes=self.intent == SAVE,
            volsers=list(self.volsers),
            library=self.library,
            pool=self.pool,
            intent=self.intent,
            loaded=False,
        )


@click.command("with")
@drive_argument
@click.argument("command", nargs=-1, required=True, metavar="-- COMMAND...")
@asked_options
@allow_virtual_option
@clear_key_option
@store_options
def with_(
    access: Access,
    drive: str,
    command: tuple[str, ...],
    intent: str,
    volser: tuple[str, ...],
    pool: str,
    library: str,
    seconds: float,
    allow_virtual: bool,
    allow_clear_key: str | None,
) -> None:
    """Make DRIVE ready, run COMMAND, and take the drive's account of what it did.

    COMMAND has our input, output and exit status; signals are passed on to it. It is not run unless the drive is ready,
    as after `tapekey save` (or, with --intent restore, `tapekey restore`). The key stays in the drive afterwards, until
    the cartridge is unloaded. Where an agent runs, it makes the drive ready and takes the account.

    A command that ended well although the drive tells of clear data behind encrypted data ends as status 101.
    """
    if access.passphrase_file == wiring.STANDARD_INPUT:
        raise Usage("the command has the standard input to itself", mend="--passphrase-file FILE, or --key-file FILE")
    wanted = Wanted(drive, intent, volser, pool, library, seconds)
    answer = wanted.by_agent()
    if answer is None:
        _ready_here(access, wanted, virtual_allowed(allow_virtual), allow_clear_key)
    status = child.run(command)
    try:
        _afterwards(access, drive, by_agent=answer is not None)
    except TapekeyError as error:
        if status == 0:
            raise
        click.echo(f"tapekey: {clean(error)}", err=True)
    _exit(status)


def _exit(status: int) -> NoReturn:
    click.get_current_context().exit(status)


def _ready_here(access: Access, wanted: Wanted, allow_virtual: bool, allow_clear_key: str | None) -> None:
    """In this process; keystore and drive are closed when it returns."""
    from tapekey import turns
    from tapekey.drive.identity import identify
    from tapekey.mount.options import Options
    from tapekey.mount.restore import restore
    from tapekey.mount.save import save
    from tapekey.mount.survey import keep_what_was_left
    from tapekey.policy.facts import Guard

    options = Options(
        volsers=wanted.volsers,
        pool=wanted.pool,
        library=wanted.library,
        allow_virtual=allow_virtual,
        guards=frozenset({Guard.HOOK}),
        way=way(wanted.drive, allow_clear_key),
    )
    with (
        wiring.manager(access) as manager,
        wiring.drive(wanted.drive) as transport,
        turns.turn(identify(transport).serial, who="tapekey with"),
    ):
        if wanted.intent == SAVE:
            keep_what_was_left(transport, manager, options, save(transport, manager, options))
        else:
            restore(transport, manager, options, manager=manager)


def _afterwards(access: Access, drive: str, *, by_agent: bool) -> None:
    """Take the account without ending the mount. The key is not touched: others may be writing still (trap 1)."""
    if by_agent:
        _verified_by_agent(drive)
        return
    from tapekey import turns
    from tapekey.drive.identity import identify
    from tapekey.mount import account

    with wiring.manager(access) as manager, wiring.drive(drive) as transport:
        serial = identify(transport).serial
        with turns.turn(serial, who="tapekey with"):
            mount = manager.current(serial)
            if mount is None or mount.accounted:
                return
            if not _is_mounted(transport, mount):
                account.after_eject(manager, mount)
                return
            told = account.interim(transport, manager, mount)
    wrong = account.contradiction(mount, told)
    if wrong:
        raise Refused(f"the command's work on drive {serial} is not to be relied on", why=wrong, alarm=True)


def _verified_by_agent(drive: str) -> None:
    """Have the agent look whether the key still stands; it takes the account too."""
    name = agent_call.name_of(drive)
    told = agent_call.ask("verify", LONGEST_LOOK + agent_call.MARGIN, drive=name, seconds=LONGEST_LOOK) or {}
    if told.get("phase") in DOUBTFUL:
        raise Refused(
            f"the command's work on drive {drive} is not to be relied on",
            why=f"the agent says that it is {told['phase']}: {told.get('why') or 'no more is known'}",
            mend="look at tapekey status and tapekey audit show --alarms",
            alarm=True,
        )


def _is_mounted(transport: "Transport", mount: "Mount") -> bool:
    """Whether the mount's own cartridge is still in the drive."""
    from tapekey.cartridge.identity import identify
    from tapekey.drive import load

    there = load.presence(transport).presence is load.Presence.MOUNTED
    return there and identify(transport).serial == mount.medium_serial


@click.command()
@drive_argument
@asked_options
def wait(drive: str, intent: str, volser: tuple[str, ...], pool: str, library: str, seconds: float) -> None:
    """Wait until software may open DRIVE: until the agent has made it ready.

    Status 33 says that it was not in time. Needs the agent; without one use `tapekey with`, `save` or `restore`.
    """
    if Wanted(drive, intent, volser, pool, library, seconds).by_agent() is None:
        raise AgentMissing(
            "nobody makes the drive ready", why="no agent runs", mend="tapekey with DRIVE -- COMMAND, or tapekey save"
        )

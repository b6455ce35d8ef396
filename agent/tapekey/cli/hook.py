"""`tapekey hook`: stands between backup software and what it calls, so that it goes on only when a drive is ready.

The changer command of Bacula and Bareos is wrapped as it is configured; what it prints and how it ends stays its own.
Where an agent runs, the agent does the work and this waits for it; else it is done here.
"""

from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NoReturn

import click

from tapekey import wiring
from tapekey.cli import agent_call, child
from tapekey.cli.options import allow_virtual_option, clear_key_option, store_options, virtual_allowed, way
from tapekey.cli.render import clean
from tapekey.errors import DriveUnknown, TapekeyError, Usage
from tapekey.wiring import Access

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tapekey.drive.identity import DriveId
    from tapekey.drive.in_library import Bay
    from tapekey.exchange import Transport

LOAD: Final = "load"
UNLOAD: Final = "unload"
WORDS: Final = "PROGRAM CHANGER OPERATION SLOT DEVICE INDEX"
LONGEST_MOVE: Final = 600.0  # that a library is not asked for, while its changer command runs


@click.group()
def hook() -> None:
    """What backup software calls: changer."""


@hook.command(context_settings={"allow_interspersed_args": False})
@click.argument("command", nargs=-1, required=True, metavar=f"-- {WORDS}...")
@agent_call.seconds_option
@allow_virtual_option
@clear_key_option
@store_options
def changer(
    access: Access, command: tuple[str, ...], seconds: float, allow_virtual: bool, allow_clear_key: str | None
) -> None:
    """Run a changer command of Bacula or Bareos, and set the key of the drive that it has loaded.

    After a successful `load` the cartridge is made ready as by `tapekey save`, or for reading only as by `tapekey
    restore`, and this returns when the drive is ready; where neither may be, or it is an alarm, it fails. Before an
    `unload` the drive's account is taken. Everything else is passed on. It ends as the changer command ended.

    Where an agent runs, it does all that, by its own configuration; that it does not answer is an error.
    """
    call = Call.parse(command)
    if call and call.operation == LOAD:
        _announce(call)
    if call and call.operation == UNLOAD:
        _account(access, call, seconds)
    status = child.run(command)
    if call and call.operation == LOAD and status == 0:
        _key(access, call, seconds, virtual_allowed(allow_virtual), allow_clear_key)
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


def _exit(status: int) -> NoReturn:
    click.get_current_context().exit(status)


def _announce(call: Call) -> bool:
    """Tell the agent, if one runs, that the changer moves now: it is not to be asked meanwhile."""
    return agent_call.ask("moving", changer=call.changer, seconds=LONGEST_MOVE) is not None


def _key(access: Access, call: Call, seconds: float, allow_virtual: bool, allow_clear_key: str | None) -> None:
    """Make the loaded cartridge ready: for writing if that may be, else for reading."""
    bay = _bay(call)
    told = _by_agent(call, bay, seconds) or _here(access, call, bay, allow_virtual, allow_clear_key)
    if told["phase"] not in agent_call.WRITABLE | agent_call.ALONE:
        click.echo(f"tapekey: for reading only: {clean(told['why'])}", err=True)


def _by_agent(call: Call, bay: "Bay", seconds: float) -> agent_call.Answer | None:
    """Through the agent; None: none runs. The drive is only asked its name here, which disturbs nobody."""
    with _drive(call, bay) as (_, who):
        pass
    told = agent_call.ready(
        call.device,
        seconds=seconds,
        writes=False,
        volsers=[bay.barcode] if bay.barcode else [],
        library=bay.library,
        pool="",
        intent="",
        loaded=True,
    )
    if told is not None:
        _demand_same(told, who)
    return told


def _demand_same(told: agent_call.Answer, who: "DriveId") -> None:
    """See that the agent means the drive that the library has loaded."""
    if told.get("drive") != who.serial:
        raise DriveUnknown(
            f"the agent made drive {told.get('drive')} ready",
            why=f"the library has loaded drive {who}",
            mend="look at tapekey status, and at where the archive device leads",
        )


def _here(
    access: Access, call: Call, bay: "Bay", allow_virtual: bool, allow_clear_key: str | None
) -> agent_call.Answer:
    """In this process, since no agent runs."""
    from tapekey import turns
    from tapekey.mount.options import Options
    from tapekey.mount.ready import ready
    from tapekey.mount.save import Saved
    from tapekey.mount.survey import keep_what_was_left
    from tapekey.policy.facts import Guard

    options = Options(
        volsers=(bay.barcode,),
        library=bay.library,
        allow_virtual=allow_virtual,
        guards=frozenset({Guard.HOOK}),
        way=way(call.device, allow_clear_key),
    )
    with (
        wiring.manager(access) as manager,
        _drive(call, bay) as (transport, who),
        turns.turn(who.serial, who="tapekey hook"),
    ):
        done = ready(transport, manager, options)
        keep_what_was_left(transport, manager, options, done)
    why = done.decision.why if isinstance(done, Saved) else done.not_written
    return {"phase": done.phase.value, "why": why}


def _account(access: Access, call: Call, seconds: float) -> None:
    """Take the drive's account and unload the cartridge. What stands in the way of that is told, and keeps none in."""
    try:
        if _announce(call):
            with _drive(call, _bay(call)):
                pass
            agent_call.ask(
                "unload", seconds + agent_call.MARGIN, drive=agent_call.name_of(call.device), seconds=seconds
            )
        else:
            _unload_here(access, call)
    except TapekeyError as error:
        click.echo(f"tapekey: no account was taken: {error}", err=True)


def _unload_here(access: Access, call: Call) -> None:
    from tapekey import turns
    from tapekey.mount.unload import unload

    with (
        wiring.manager(access) as manager,
        _drive(call, _bay(call)) as (transport, who),
        turns.turn(who.serial, who="tapekey hook"),
    ):
        unload(transport, manager)


def _bay(call: Call) -> "Bay":
    from tapekey.drive import in_library

    with wiring.drive(call.changer, doubtful=True) as changer:
        return in_library.bay(changer, call.drive)


@contextmanager
def _drive(call: Call, bay: "Bay") -> "Iterator[tuple[Transport, DriveId]]":
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
        yield transport, who

"""What stands in an empty drive, which guards it has by that, and giving it back: `tapekey drive release`."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tapekey import wiring
from tapekey.cli.options import drive_argument, store_options, trace_option
from tapekey.wiring import Access

if TYPE_CHECKING:
    from tapekey.drive.abilities import Abilities
    from tapekey.drive.identity import DriveId
    from tapekey.exchange import Transport
    from tapekey.manager.local import LocalManager
    from tapekey.mount.rest import Resting


@click.command()
@drive_argument
@trace_option
@store_options
def release(access: Access, drive: str, trace: Path | None) -> None:
    """Give a drive back as it was before tapekey: keys of ours out, its own mode page in.

    It is marked hands-off, so that it is not closed again; approving it anew undoes that.
    """
    from tapekey.mount import rest

    with wiring.manager(access) as manager, wiring.drive_alone(drive, trace) as transport:
        done = rest.release(transport, manager)
    click.echo("drive released, and marked hands-off" if done else "nothing of ours was in it; it is marked hands-off")


def bring(transport: "Transport", manager: "LocalManager") -> str:
    """Bring the drive to rest if it is empty, and say in one line what was done; empty: nothing was."""
    from tapekey.errors import Conflict
    from tapekey.mount import rest

    try:
        return line(rest.rest(transport, manager))
    except Conflict:
        return ""


def line(resting: "Resting") -> str:
    """How an empty drive was left, for people; nothing where it was not touched."""
    from tapekey.mount.rest import Rest

    if resting.rest is Rest.UNTOUCHED:
        return ""
    why = f": {resting.why}" if resting.why else ""
    return f"at rest: {resting.rest.value}{why}"


def guards(manager: "LocalManager", who: "DriveId", able: "Abilities") -> dict[str, Any]:
    """The drive's guards by its qualification, strongest first, what in them is untried, and the rule at rest."""
    from tapekey.mount import guarding
    from tapekey.mount.options import Options
    from tapekey.policy import guards as table

    options = Options()
    basis = guarding.basis(manager, who, able, options)
    return {
        "guards": [guard.value for guard in table.strongest_first(table.effective(basis))],
        "untried": list(table.unproved(basis)),
        "rule_at_rest": guarding.rule_at_rest(manager, who, options).stance.value,
        "mode_page_kept": manager.guard_page(who.serial) is not None,
    }

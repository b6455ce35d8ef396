"""The command line: noun, then verb. Nothing heavy is imported before a command needs it."""

import sys
from collections.abc import Sequence

import click

from tapekey.cli.failure import Failure, Verbs

# Command -> (module, what it is for). The module has an attribute of the command's name.
COMMANDS: dict[str, tuple[str, str]] = {
    "agent": ("agent", "The daemon that watches over the drives of this host: run."),
    "status": ("status", "What the agent says of itself and its drives."),
    "check": ("check", "One line and a status for monitoring: will the next job on each drive work?"),
    "config": ("config", "The configuration: defaults, check."),
    "keystore": ("keystore", "Create, inspect and check the keystore."),
    "recipient": ("recipient", "Who may open a data key: generate, add, list, export."),
    "rule": ("rule", "What must be encrypted, and for whom: add, list, remove, test."),
    "drive": ("drive", "Tape drives: list, show, status, approve, forget, set-key, clear-key."),
    "cartridge": ("cartridge", "Cartridges: create, show, list, scratch, adopt, release."),
    "target": ("target", "Virtual drives: create, serve, insert, eject, status."),
    "save": ("mount", "Make the cartridge in a drive ready to be written, encrypted."),
    "restore": ("mount", "Make the cartridge in a drive ready to be read."),
    "unload": ("mount", "Account for the cartridge, unload it, and clear its key."),
    "with": ("with_drive", "Make a drive ready, run a command, and take the drive's account of it."),
    "wait": ("with_drive", "Wait until the agent has made a drive ready."),
    "scratch": ("scratch", "Declare cartridges by their barcodes: what is on them may be overwritten."),
    "observe": ("observe", "What `require` would refuse of all that was seen so far."),
    "hook": ("hook", "What backup software calls, so that it goes on only when a drive is ready."),
    "tape": ("tape", "Write a file to a tape, or read it back."),
    "audit": ("audit", "Show and verify the audit log."),
    "lab": ("lab", "Test benches: a virtual drive with its cartridge, or the kernel's scsi_debug tape."),
    "demo": ("demo", "Run the main job on a virtual drive and tell it as a story."),
}


@click.group(cls=Verbs, modules=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="tapekey", message="%(prog)s %(version)s")
def root() -> None:
    """Keys for tape drives that encrypt in hardware.

    DRIVE is a device (/dev/sg3, /dev/nst0, a /dev/tape/by-id name) or a URI (iscsi://HOST:PORT/TARGET/LUN,
    virtual:DIR, replay:FILE).
    """


def main() -> None:
    """Console entry: keep core dumps off, run, and leave with a documented exit status."""
    if sys.argv[1:2] != ["status"]:  # which sees no key, and is run often
        from tapekey.cli.hardening import keep_out_of_cores

        keep_out_of_cores()
    status = run(sys.argv[1:])
    sys.exit(status)


def run(arguments: Sequence[str]) -> int:
    """Run one command line; whatever happens becomes text and an exit status."""
    try:
        return root.main(list(arguments), standalone_mode=False, prog_name="tapekey") or 0
    except Failure as error:
        error.show()
        return error.exit_code
    except (click.ClickException, click.Abort) as error:
        from tapekey.cli import exit_status  # which a command that works does not need

        if isinstance(error, click.ClickException):
            error.show()
            return exit_status.SYNTAX
        click.echo("tapekey: interrupted", err=True)
        return exit_status.INTERRUPTED
    except Exception:  # noqa: BLE001 - the one boundary: what nobody foresaw is told from what was refused
        import traceback

        from tapekey.cli import exit_status

        traceback.print_exc()
        click.echo("tapekey: this is a fault of tapekey itself; please report the lines above", err=True)
        return exit_status.BUG

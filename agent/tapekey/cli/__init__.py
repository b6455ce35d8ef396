"""The command line: noun, then verb. Nothing heavy is imported before a command needs it."""

import sys

import click

from tapekey.cli.exit_status import SYNTAX
from tapekey.cli.failure import Verbs

# Command -> (module, what it is for). The module has an attribute of the command's name.
COMMANDS: dict[str, tuple[str, str]] = {
    "keystore": ("keystore", "Create, inspect and check the keystore."),
    "recipient": ("recipient", "Who may open a data key: add, list, export."),
    "rule": ("rule", "What must be encrypted, and for whom: add, list, remove, test."),
    "drive": ("drive", "Tape drives: list, show, status, approve, set-key, clear-key."),
    "cartridge": ("cartridge", "Cartridges: create, show, scratch, adopt, release."),
    "target": ("target", "Virtual drives: create, serve, insert, eject."),
    "save": ("mount", "Make the cartridge in a drive ready to be written, encrypted."),
    "restore": ("mount", "Make the cartridge in a drive ready to be read."),
    "unload": ("mount", "Account for the cartridge, unload it, and clear its key."),
    "tape": ("tape", "Write a file to a tape, or read it back."),
    "audit": ("audit", "Show and verify the audit log."),
    "demo": ("demo", "Run the main job on a virtual drive and tell it as a story."),
}


@click.group(cls=Verbs, modules=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="tapekey", message="%(prog)s %(version)s")
def root() -> None:
    """Keys for tape drives that encrypt in hardware.

    DRIVE is a device (/dev/sg3, /dev/nst0, a /dev/tape/by-id name) or a URI (virtual:DIR, replay:FILE).
    """


def main() -> None:
    """Console entry: keep core dumps off, run, and leave with a documented exit status."""
    from tapekey.cli.hardening import keep_out_of_cores

    keep_out_of_cores()
    try:
        sys.exit(root.main(standalone_mode=False, prog_name="tapekey") or 0)
    except click.UsageError as error:
        error.show()
        sys.exit(SYNTAX)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.Abort:
        click.echo("tapekey: interrupted", err=True)
        sys.exit(130)

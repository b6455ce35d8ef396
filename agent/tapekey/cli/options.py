"""Options that several commands share, each turning what was typed into one value."""

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from tapekey import config, wiring
from tapekey.wiring import Access

if TYPE_CHECKING:
    from tapekey.mount.options import Way

Function = TypeVar("Function", bound=Callable[..., Any])

drive_argument = click.argument("drive", metavar="DRIVE")
trace_option = click.option(
    "--trace",
    type=click.Path(path_type=Path),
    help="Append each SCSI command to FILE; keys and tape data are left out.",
)
allow_virtual_option = click.option(
    "--allow-virtual", is_flag=True, help="Use a virtual drive under `require` (for tests and learning)."
)
clear_key_option = click.option(
    "--allow-clear-key",
    type=click.Choice(config.CLEAR_LINKS),
    help="Send the key in clear over this link, to a drive that takes no wrapped key.",
)


def store_options(function: Function) -> Function:
    """--store, --passphrase-file and --key-file, handed over as `access`."""

    @click.option("--store", type=click.Path(path_type=Path), help="The keystore's directory.")
    @click.option("--passphrase-file", metavar="F|-", help="Opens the keystore: first line of F, or of standard input.")
    @click.option("--key-file", type=click.Path(path_type=Path), help="Opens the keystore: a file of 32 random bytes.")
    @wraps(function)
    def with_access(
        *args: Any, store: Path | None, passphrase_file: str | None, key_file: Path | None, **more: Any
    ) -> Any:
        return function(*args, access=access(store, passphrase_file, key_file), **more)

    return with_access  # type: ignore[return-value]


def access(store: Path | None, passphrase_file: str | None, key_file: Path | None) -> Access:
    """What the options say; the configuration's key opens the configuration's store, where no option names another."""
    settings = wiring.configured(config.read())
    if passphrase_file or key_file or store not in (None, settings.store):
        return Access(store or settings.store, passphrase_file, key_file)
    return settings


def virtual_allowed(flag: bool) -> bool:
    """The option, or the configuration's setting."""
    return flag or config.read().allow_virtual


def way(drive: str, allow_clear_key: str | None) -> "Way":
    """What a mount has to know of the way to the drive: by the name, the option, and the configuration's setting."""
    from tapekey.mount.options import Way

    link = wiring.link(drive)
    allowed = link in (allow_clear_key, config.read().allow_clear_key)
    return Way(network=link in config.CLEAR_LINKS, clear_key=allowed)


def actor() -> str:
    """Who gives the command, for the audit log: the login behind sudo if there is one. A claim, not a proof."""
    import os
    import pwd

    try:
        name = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        name = str(os.getuid())
    behind = os.environ.get("SUDO_USER")
    return f"{behind} as {name}" if behind else name

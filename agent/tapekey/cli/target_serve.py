"""`tapekey target serve`: power, the sockets of this host, and iSCSI for others."""

import logging
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tapekey.errors import Usage

if TYPE_CHECKING:
    from tapekey.target.rack import Rack

LOOK = 0.2  # seconds


@click.command()
@click.argument("directory", type=click.Path(path_type=Path))
@click.option("--listen", metavar="HOST[:PORT]", help="Serve by iSCSI, too: 127.0.0.1:3260, or [::1]:3260.")
@click.option("--chap", type=click.Path(path_type=Path), help="File of who may log in: a line of user:secret for each.")
@click.option("--name", default="", help="The target's iSCSI name (iqn…); made from the serial number if not given.")
@click.option("--announce", default="", metavar="HOST:PORT", help="The address that discovery gives, behind a NAT.")
@click.option("--allow-open", is_flag=True, help="Let every host that reaches --listen use the drives, without CHAP.")
def serve(directory: Path, listen: str | None, **options: str | bool | Path | None) -> None:
    """Power the virtual drive or library on until interrupted.

    Its keys are in its memory only: power off, and they are gone.
    """
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    if listen is not None:
        _by_iscsi(directory, listen, stop, **options)  # type: ignore[arg-type]
        return
    if any(options.values()):
        raise Usage("options of iSCSI are given without --listen", mend="--listen 127.0.0.1:3260")
    with _powered(directory):
        click.echo(f"virtual:{directory} is on")
        # Not `wait`: a signal just before it would be seen by nobody, and one within it would lock us up.
        while not stop.is_set():
            time.sleep(LOOK)


def _by_iscsi(
    directory: Path, listen: str, stop: threading.Event, chap: Path | None, name: str, announce: str, allow_open: bool
) -> None:
    from tapekey.target import portal, portal_access

    address = portal_access.address(listen)
    users = portal_access.chap(chap) if chap is not None else None
    portal_access.refuse_open(address, guarded=users is not None, allowed=allow_open)
    shown = portal.written(portal_access.address(announce)) if announce else ""
    logging.basicConfig(format="%(message)s", level=logging.INFO)
    with _powered(directory) as rack:
        target = portal_access.target_name(name or rack.name)

        def ready(where: portal_access.Address) -> None:
            click.echo(
                f"iscsi://{portal.written(where)}/{target} listens: LUN {', '.join(map(str, sorted(rack.units)))}"
            )
            click.echo(f"virtual:{directory} is on")

        portal.serve(rack, address, name=target, chap=users, announce=shown, stop=stop, ready=ready)


@contextmanager
def _powered(directory: Path) -> Iterator["Rack"]:
    """A library's changer is LUN 0 and its drives follow; a lone drive is LUN 0."""
    from tapekey.target import library, server
    from tapekey.target.rack import Rack

    if library.is_library(directory):
        with server.powered_library(directory) as opened:
            yield opened.rack
    else:
        with server.powered(directory) as powered:
            yield Rack({0: powered}, powered.description.serial)

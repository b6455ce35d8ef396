"""`tapekey target serve`: power, the sockets of this host, and iSCSI for others."""

import logging
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tapekey.cli.target_apart import Apart
from tapekey.errors import Usage

if TYPE_CHECKING:
    from tapekey.target.machine import Machine
    from tapekey.target.rack import Rack

LOOK = 0.2  # seconds


@click.command()
@click.argument("directory", type=click.Path(path_type=Path))
@click.option("--listen", metavar="HOST[:PORT]", help="Serve by iSCSI, too: 127.0.0.1:3260, or [::1]:3260.")
@click.option("--chap", type=click.Path(path_type=Path), help="File of who may log in: a line of user:secret for each.")
@click.option("--name", default="", help="The target's iSCSI name (iqn…); made from the serial number if not given.")
@click.option("--announce", default="", metavar="HOST:PORT", help="The address that discovery gives, behind a NAT.")
@click.option("--allow-open", is_flag=True, help="Let every host that reaches --listen use the drives, without CHAP.")
@click.option(
    "--apart",
    is_flag=True,
    help="A process for each drive of a library, which is a target of its own on the next ports: fast side by side.",
)
@click.option("--robot", type=int, multiple=True, hidden=True, help="Links to the library that has started this drive.")
def serve(directory: Path, listen: str | None, **options: Any) -> None:
    """Power the virtual drive or library on until interrupted.

    Its keys are in its memory only: power off, and they are gone.
    """
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    if listen is not None:
        _by_iscsi(directory, listen, stop, **options)
        return
    if any(options.values()):
        raise Usage("options of iSCSI are given without --listen", mend="--listen 127.0.0.1:3260")
    with _powered(directory, None):
        click.echo(f"virtual:{directory} is on")
        # Not `wait`: a signal just before it would be seen by nobody, and one within it would lock us up.
        while not stop.is_set():
            time.sleep(LOOK)


def _by_iscsi(
    directory: Path,
    listen: str,
    stop: threading.Event,
    chap: Path | None,
    name: str,
    announce: str,
    *,
    allow_open: bool,
    apart: bool,
    robot: tuple[int, ...],
) -> None:
    from tapekey.target import portal, portal_access, remote_robot

    address = portal_access.address(listen)
    users = portal_access.chap(chap) if chap is not None else None
    portal_access.refuse_open(address, guarded=users is not None, allowed=allow_open)
    outside = portal_access.address(announce) if announce else None
    logging.basicConfig(format="%(message)s", level=logging.INFO)
    words = [*(["--chap", str(chap)] if chap else []), *(["--allow-open"] if allow_open else [])]
    target = portal_access.target_name(name or _serial(directory))
    drives = Apart(*address, target, outside, words) if apart else None
    with _powered(directory, drives) as (rack, machine):
        beside = drives.beside() if drives else ()

        def ready(where: portal_access.Address) -> None:
            if machine is not None and robot:
                remote_robot.answer(machine, robot, where[1], stop)
            click.echo(
                f"iscsi://{portal.written(where)}/{target} listens: LUN {', '.join(map(str, sorted(rack.units)))}"
            )
            for line in drives.listening() if drives else ():
                click.echo(line)
            click.echo(f"virtual:{directory} is on")

        shown = portal.written(outside) if outside else ""
        portal.serve(rack, address, name=target, chap=users, announce=shown, beside=beside, stop=stop, ready=ready)
        if drives:
            drives.let_go()


def _serial(directory: Path) -> str:
    from tapekey.target import description, library, library_description

    if library.is_library(directory):
        return library_description.Description.load(directory).serial
    return description.Description.load(directory).serial


@contextmanager
def _powered(directory: Path, apart: Apart | None) -> "Iterator[tuple[Rack, Machine | None]]":
    """A library's changer is LUN 0 and its drives follow, unless they are apart; a lone drive is LUN 0."""
    from tapekey.target import library, server
    from tapekey.target.rack import Rack

    if library.is_library(directory):
        with server.powered_library(directory, apart=apart.power_on if apart else None) as opened:
            yield opened.rack, None
    elif apart:
        raise Usage(f"{directory} is a drive, and no library", mend="leave --apart out")
    else:
        with server.powered(directory) as powered:
            yield Rack({0: powered}, powered.description.serial), powered

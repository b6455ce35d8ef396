"""`tapekey lab`: test benches, set up and taken down. What was not set up here is not taken down."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from shutil import rmtree

import click

from tapekey.cli.render import table
from tapekey.errors import Conflict, NotFound, Refused, TransportFailed, Usage

MODULE = "scsi_debug"
TAPE = "1"
MARK = "tapekey-lab"  # a bench's directory has this file; the number of the process that serves the drive is in it
PATIENCE = 30.0


@click.group()
def lab() -> None:
    """Test benches: a virtual drive with its cartridge, or the kernel's scsi_debug tape."""


@lab.group("virtual")
def virtual_() -> None:
    """A virtual drive that is powered on, with a blank cartridge in it."""


@virtual_.command("up")
@click.argument("directory", type=click.Path(path_type=Path))
@click.option("--personality", default="ibm-lto6", show_default=True, help="See: tapekey target personalities.")
@click.option("--barcode", default="LAB001L6", show_default=True, help="The cartridge's label.")
def virtual_up(directory: Path, personality: str, barcode: str) -> None:
    """Set the bench up in DIRECTORY, which must not exist yet."""
    from tapekey.target import cartridge, machine
    from tapekey.target.personality import PERSONALITIES

    facts = PERSONALITIES.get(personality)
    if facts is None:
        raise Usage(f"no personality {personality}", mend=f"one of {', '.join(PERSONALITIES)}")
    if directory.exists():
        raise Conflict(f"cannot set a bench up in {directory}", why="it exists already")
    directory.mkdir(mode=0o700, parents=True)
    (directory / MARK).touch(mode=0o600)
    machine.create(directory / "drive", facts)
    cartridge.create(directory / "cartridge", facts.generation, barcode)
    with machine.open(directory / "drive") as powered:
        powered.insert(directory / "cartridge")
    _serve(directory)
    click.echo(f"virtual:{directory / 'drive'} is on, with cartridge {barcode} in it")


@virtual_.command("down")
@click.argument("directory", type=click.Path(path_type=Path))
def virtual_down(directory: Path) -> None:
    """Power the bench in DIRECTORY off and remove it, with everything that was written there."""
    if not (directory / MARK).is_file():
        raise Refused(f"{directory} is not removed", why="it is no bench of tapekey lab", mend="tapekey lab virtual up")
    _stop(directory)
    rmtree(directory)
    click.echo(f"{directory} is gone")


def _serve(directory: Path) -> None:
    """Power the drive on in a process of its own, and wait until it answers."""
    from tapekey.target import machine

    with open(directory / "log", "ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "tapekey", "target", "serve", str((directory / "drive").absolute())],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    (directory / MARK).write_text(f"{process.pid}\n")
    deadline = time.monotonic() + PATIENCE
    while not machine.served(directory / "drive"):
        if process.poll() is not None or time.monotonic() > deadline:
            raise TransportFailed("the virtual drive did not come up", mend=f"see {directory / 'log'}")
        time.sleep(0.05)
    process.returncode = 0  # it outlives us, and nobody is to wait for it


def _stop(directory: Path) -> None:
    """End the process that serves the drive, if its number still names it."""
    from tapekey.target import machine

    number = (directory / MARK).read_text().strip()
    place = str((directory / "drive").absolute())
    if number.isdigit() and place in _command_line(int(number)):
        os.kill(int(number), signal.SIGTERM)
    deadline = time.monotonic() + PATIENCE
    while machine.served(directory / "drive"):
        if time.monotonic() > deadline:
            raise Conflict(f"{directory / 'drive'} is still on", mend="end the program that serves it")
        time.sleep(0.05)


def _command_line(process: int) -> list[str]:
    try:
        return Path(f"/proc/{process}/cmdline").read_text(errors="replace").split("\0")
    except OSError:
        return []


@lab.group("scsi-debug")
def scsi_debug() -> None:
    """Tape drives made by the kernel's scsi_debug module: real nodes, no encryption."""


@scsi_debug.command("up")
@click.option("--drives", type=click.IntRange(1, 64), default=1, show_default=True, help="How many.")
def scsi_debug_up(drives: int) -> None:
    """Load the module with tape drives, and the drivers that give them nodes."""
    from tapekey.discovery.sysfs import SYS

    if (SYS / "module" / MODULE).exists():
        raise Conflict(f"{MODULE} is loaded already", mend="tapekey lab scsi-debug down")
    _modprobe(MODULE, f"ptype={TAPE}", f"num_tgts={drives}", "max_luns=1", "add_host=1")
    for driver in ("sg", "st"):
        _modprobe(driver)
    found = _wait_for(drives)
    for line in table(("where", "tape", "vendor", "product"), found):
        click.echo(line)


@scsi_debug.command("down")
def scsi_debug_down() -> None:
    """Unload the module. It is left alone if it makes anything else than tape drives."""
    from tapekey.discovery.sysfs import SYS, text

    place = SYS / "module" / MODULE
    if not place.exists():
        raise NotFound(f"{MODULE} is not loaded")
    if text(place / "parameters/ptype") != TAPE:
        raise Conflict(f"{MODULE} is left alone", why="it was loaded for something else than tape drives")
    _modprobe("-r", MODULE)
    click.echo("gone")


def _modprobe(*words: str) -> None:
    try:
        done = subprocess.run(["modprobe", *words], capture_output=True, text=True, timeout=PATIENCE, check=False)
    except FileNotFoundError as error:
        raise NotFound("there is no modprobe", mend="install kmod; or use: tapekey lab virtual up DIR") from error
    if done.returncode:
        why = done.stderr.strip().splitlines()
        raise _refusal(words, why[-1] if why else f"exit status {done.returncode}")


def _refusal(words: tuple[str, ...], why: str) -> NotFound | Refused | Conflict:
    what = f"modprobe {' '.join(words)} failed"
    if "not found" in why:
        return NotFound(what, why=why, mend="this kernel has no such module; use: tapekey lab virtual up DIR")
    if "not permitted" in why:
        return Refused(what, why=why, mend="be root on a host that lets modules be loaded")
    return Conflict(what, why=why, mend="end what uses the drives, then try again")


def _wait_for(drives: int) -> list[tuple[str, str | None, str, str]]:
    """The new drives, once all have their nodes."""
    from tapekey.discovery.attachment import Link
    from tapekey.discovery.sysfs import scan

    deadline = time.monotonic() + PATIENCE
    while True:
        found = [node for node in scan() if node.link is Link.SCSI_DEBUG]
        if len(found) >= drives and all(node.nst for node in found):
            return [(node.path, f"/dev/{node.nst}", node.vendor, node.product) for node in found]
        if time.monotonic() > deadline:
            raise TransportFailed(f"{len(found)} of {drives} drives came up", mend="see the kernel's log")
        time.sleep(0.05)

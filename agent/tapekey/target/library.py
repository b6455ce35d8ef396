"""A virtual tape library as a thing: a directory that is powered on by opening it, and the panel at its front.

    DIR/library        who it is, how large, its knobs        DIR/drive-1 …     its drives
    DIR/inventory      which cartridge is in which element    DIR/cartridges/   those that were made with it

Its inventory alone says what is where. Opened without power it can be looked at and filled, and no tape moves.
"""

import fcntl
import os
import secrets
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from pathlib import Path

from tapekey.errors import Conflict, Usage
from tapekey.target import cartridge, library_label, machine, memory
from tapekey.target.changer import ChangerUnit
from tapekey.target.changer_board import Board
from tapekey.target.changer_state import Changer
from tapekey.target.library_bay import Bay
from tapekey.target.library_description import FILE, Description
from tapekey.target.library_drive import LibraryDrive
from tapekey.target.library_front import CARTRIDGES, Library
from tapekey.target.library_inventory import Inventory
from tapekey.target.library_layout import FIRST_DRIVE, FIRST_SLOT, Layout
from tapekey.target.library_robot import Robot
from tapekey.target.machine import LOCK, Clock, Machine
from tapekey.target.personality import PERSONALITIES, Personality

PowersOn = Callable[[Path], AbstractContextManager[LibraryDrive]]


def is_library(directory: Path) -> bool:
    """Whether a directory holds a library, and not a lone drive."""
    return (directory / FILE).exists()


def create(
    directory: Path,
    *,
    personality: Personality | str,
    drives: int,
    slots: int,
    barcodes: Sequence[str] = (),
    mail_slots: int = 2,
    serial: str = "",
    capacity: int | None = None,
    knobs: Mapping[str, object] | None = None,
) -> None:
    """Make a library in a directory that must not exist yet, with a cartridge for each barcode, or make nothing."""
    layout = Layout(drives, slots, mail_slots)
    layout.check()
    machine.check_serial(serial)
    facts = PERSONALITIES.get(personality) if isinstance(personality, str) else personality
    if facts is None:
        raise ValueError(f"no personality {personality!r}; there are {', '.join(PERSONALITIES)}")
    _check_barcodes(barcodes, slots)
    if directory.exists():
        raise Conflict(f"cannot make a virtual library in {directory}", why="it exists already")
    beside = directory.with_name(f".{directory.name}.{secrets.token_hex(4)}")
    beside.mkdir(mode=0o700, parents=True)
    try:
        naa = (3 << 60 | secrets.randbits(60)).to_bytes(8, "big")
        name = serial or f"TKL{secrets.token_hex(4).upper()}"
        Description(name, naa, layout).with_knobs(knobs or {}).save(beside)
        _fill(beside, facts, layout, barcodes, capacity)
        os.rename(beside, directory)
    except BaseException:
        shutil.rmtree(beside, ignore_errors=True)
        raise
    memory.sync_directory(directory.absolute().parent)


def _check_barcodes(barcodes: Sequence[str], slots: int) -> None:
    for barcode in barcodes:
        if not 1 <= len(barcode) <= 32 or not all(c.isascii() and (c.isalnum() or c in "-_.+$") for c in barcode):
            raise Usage(f"{barcode!r} is no barcode", mend="letters, digits and -_.+$, such as ENC001L8")
        if barcode.startswith("."):
            raise Usage(f"{barcode!r} is no barcode", mend="begin with a letter or a digit")
    if len(set(barcodes)) != len(barcodes):
        raise Usage("a barcode is given twice")
    if len(barcodes) > slots:
        raise Usage(f"{len(barcodes)} cartridges do not fit into {slots} slots")


def _fill(directory: Path, facts: Personality, layout: Layout, barcodes: Sequence[str], capacity: int | None) -> None:
    (directory / LOCK).touch(mode=0o600)
    for number in range(layout.drives):
        machine.create(directory / f"drive-{number + 1}", facts, element=FIRST_DRIVE + number)
    (directory / CARTRIDGES).mkdir(mode=0o700)
    inventory = Inventory()
    for number, barcode in enumerate(barcodes):
        made = library_label.promised(barcode, facts.generation)
        place = directory / CARTRIDGES / barcode
        cartridge.create(place, made.generation, barcode, kind=made.kind, worm=made.worm, capacity=capacity)
        inventory = inventory.with_(FIRST_SLOT + number, f"{CARTRIDGES}/{barcode}")
    inventory.save(directory)


@contextmanager
def open(
    directory: Path, clock: Clock = time.monotonic, *, power: bool = True, apart: PowersOn | None = None
) -> Iterator[Library]:
    """Power a library on, or only hold it; Conflict if it or one of its drives is powered on elsewhere.

    apart   powers its drives on in processes of their own; without it they are machines in this one
    """
    description = Description.load(directory)
    layout = description.layout
    with ExitStack() as stack:
        stack.enter_context(_held(directory))
        off = threading.Event()
        robot = Robot(directory, description, Inventory.load(directory, layout), _waits(off, clock))
        board = Board(robot)
        robot.changed = board.changed
        robot.scan()
        places = {FIRST_DRIVE + at: directory / f"drive-{at + 1}" for at in range(layout.drives)}
        machines: dict[int, Machine] = {}
        remote: dict[int, LibraryDrive] = {}
        for address, place in places.items():
            if apart is not None:
                remote[address] = stack.enter_context(apart(place))
            elif power:
                bay = Bay(description.serial, address, partial(robot.content, address))
                machines[address] = stack.enter_context(machine.open(place, clock, bay))
            else:
                stack.enter_context(machine.held(place))
        robot.machines = remote or dict(machines)
        ready_at = clock() + (description.knobs.inventory_time if power else 0)
        stack.callback(off.set)
        yield Library(directory, robot, ChangerUnit(Changer(robot, board, clock, ready_at)), tuple(machines.values()))


def _waits(off: threading.Event, clock: Clock) -> Callable[[float], None]:
    """Wait until the time is over or the power goes; not at all by a clock that a test moves."""

    def wait(seconds: float) -> None:
        if seconds > 0 and clock is time.monotonic:
            off.wait(seconds)

    return wait


@contextmanager
def _held(directory: Path) -> Iterator[None]:
    lock = os.open(directory / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise Conflict(f"the virtual library {directory} is powered on elsewhere") from error
        yield
    finally:
        os.close(lock)

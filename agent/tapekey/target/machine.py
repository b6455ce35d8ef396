"""A virtual drive as a thing: a directory that is powered on by opening it, and the panel at its front.

The directory keeps what a drive keeps without power: who it is, its saved mode pages, its wrapping key, and which
cartridge is in it. Keys, nexuses and current mode values live in the memory of the process that powers it.
"""

import contextlib
import fcntl
import os
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric import rsa

from tapekey.errors import Conflict, Malformed, Usage
from tapekey.exchange import Command, Reply
from tapekey.scsi import sense
from tapekey.scsi.codes import Status
from tapekey.scsi.sense import Sense, SenseKey
from tapekey.target import cartridge, drive, drive_stream, library_bay, nexus_loss, wrapping
from tapekey.target.cartridge import Cartridge
from tapekey.target.description import Description
from tapekey.target.library_bay import Bay
from tapekey.target.modes import Modes
from tapekey.target.personality import PERSONALITIES, Personality
from tapekey.target.reservations import Reservations
from tapekey.target.state import Drive
from tapekey.target.stream import Stream
from tapekey.target.tray import Place
from tapekey.target.unit import Answer

LOCK: Final = "lock"
SOCKET: Final = "socket"
LONGEST_SERIAL: Final = 12  # as log page 14h has room for
WRAPPING_KEY: Final = "wrapping-key.pem"
Clock = Callable[[], float]

# 4/44/00: what the command changed would not outlast the power, as the drive's own disk fails.
NOT_KEPT: Final = Answer(Status.CHECK_CONDITION, b"", sense.encode_fixed(Sense(SenseKey.HARDWARE_ERROR, 0x44, 0x00)))


class NotGiven(Conflict):
    """The drive keeps its cartridge: a host prevents the removal, or has not unloaded it."""

    def __init__(self, why: str, *, prevented: bool) -> None:
        super().__init__("the drive does not let the cartridge go", why=why)
        self.prevented = prevented


def create(directory: Path, personality: Personality | str, *, serial: str = "", element: int | None = None) -> None:
    """Make a virtual drive in a directory that must not exist yet."""
    facts = PERSONALITIES.get(personality) if isinstance(personality, str) else personality
    if facts is None:
        raise ValueError(f"no personality {personality!r}; there are {', '.join(PERSONALITIES)}")
    check_serial(serial)
    if directory.exists():
        raise Conflict(f"cannot make a virtual drive in {directory}", why="it exists already")
    directory.mkdir(mode=0o700, parents=True)
    (directory / LOCK).touch(mode=0o600)
    if facts.public_key:
        fd = os.open(directory / WRAPPING_KEY, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(fd, "wb") as file:
            file.write(wrapping.generate())
    name = serial or f"TK{secrets.token_hex(4).upper()}"
    naa = (3 << 60 | secrets.randbits(60)).to_bytes(8, "big")
    Description(personality=facts, serial=name, naa=naa, element=element).save(directory)


def check_serial(serial: str) -> None:
    """Usage if a page could not tell this serial number."""
    if len(serial) > LONGEST_SERIAL or not serial.isascii() or not serial.isprintable():
        raise Usage(f"a serial number has at most {LONGEST_SERIAL} printable ASCII characters")


@contextmanager
def open(directory: Path, clock: Clock = time.monotonic, bay: Bay | None = None) -> Iterator["Machine"]:
    """Power a virtual drive on, for as long as the context lasts; Conflict if it is on already.

    A library gives its drives their bays; a drive of a library that is opened by itself looks for its own.
    """
    description = Description.load(directory)
    with held(directory):
        if bay is None and description.element is not None:
            bay = library_bay.of(directory.absolute().parent, description.element)
        machine = Machine(directory, description, clock, bay)
        machine.power_on()
        try:
            yield machine
        finally:
            machine.power_off()


@contextmanager
def held(directory: Path) -> Iterator[None]:
    """Hold a drive, powered or not, so that nobody else powers it on."""
    lock = os.open(directory / LOCK, os.O_RDWR)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise Conflict(f"the virtual drive {directory} is powered on elsewhere") from error
        yield
    finally:
        os.close(lock)


def served(directory: Path) -> bool:
    """Whether a server has this drive powered on, and listens on its socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as link:
        try:
            with short_path(directory / SOCKET) as short:
                link.connect(short)
        except OSError:
            return False
        return True


@contextmanager
def short_path(path: Path) -> Iterator[str]:
    """A name for a socket of any path: by way of its directory, since a socket address holds only 107 bytes."""
    directory = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{directory}/{path.name}"
    finally:
        os.close(directory)


@dataclass(slots=True)
class InProcess:
    """A transport to a drive in this process, as one initiator."""

    machine: "Machine"
    nexus: str

    def execute(self, command: Command) -> Reply:
        """Hand the command to the drive."""
        return self.machine.execute(self.nexus, command)


@dataclass(slots=True)
class Machine:
    """A virtual drive and its front panel. One command or panel action at a time, whoever asks."""

    directory: Path
    description: Description
    clock: Clock
    bay: Bay | None = None
    _drive: Drive | None = None
    _turn: threading.RLock = field(default_factory=threading.RLock)
    _kept: tuple[object, ...] = ()
    _off: threading.Event = field(default_factory=threading.Event)

    open = staticmethod(open)

    @property
    def drive(self) -> Drive:
        """The powered drive, with nothing left to do."""
        if self._drive is None:
            raise ValueError("the virtual drive is powered off")
        self._drive.owed.settle()
        return self._drive

    @property
    def lets_go(self) -> bool:
        """Whether a changer's gripper reaches what is in the drive, or could put something in. Asks without waiting."""
        powered = self._drive
        return powered is not None and powered.lets_go

    def transport(self, nexus: str = "host") -> InProcess:
        """A transport to this drive as the initiator `nexus`."""
        return InProcess(self, nexus)

    def execute(self, nexus: str, command: Command) -> Reply:
        """Carry out one command; the reply is a copy of its own."""
        answer = self.serve(nexus, command)
        return Reply(answer.status, bytes(answer.data), answer.sense)

    def serve(self, nexus: str, command: Command) -> Answer:
        """Carry out one command; what has to outlast the power is on disk before it is answered."""
        with self._turn:
            powered = self.drive
            answer = drive.serve(powered, nexus, command)
            try:
                self._keep()
            except OSError:
                answer = NOT_KEPT
            owes = powered.owed.standing
        if not owes:
            return answer
        return Answer(answer.status, answer.data, answer.sense, answer.taken, powered.owed.settle)

    def stream(self, nexus: str, cdb: bytes, size: int) -> Stream | None:
        """What carries out commands that repeat the last one, until somebody else comes to the drive."""
        with self._turn:
            if self._drive is None:
                return None
            powered = self.drive
            stream = drive_stream.begin(powered, nexus, cdb, size)
            if stream is not None:
                powered.owed.lend(stream)
            return stream

    def nexus_lost(self, nexus: str) -> None:
        """A session has ended: its RESERVE and its PREVENT go with it."""
        with self._turn:
            if self._drive is not None:
                nexus_loss.lose(self.drive, nexus)

    # --- the front panel ---

    def insert(self, directory: Path) -> None:
        """Put a cartridge in; the drive loads it."""
        with self._turn:
            if self.drive.place is not Place.EMPTY:
                raise Conflict("there is a cartridge in the drive already", mend="eject it first")
            self.drive.insert(Cartridge.open(directory))
            try:
                self._keep()
            except OSError:
                self._give_back()
                raise

    def eject(self) -> None:
        """Press the button, and take the cartridge out."""
        with self._turn:
            if self.drive.place is Place.EMPTY:
                raise Conflict("there is no cartridge in the drive")
            if any(nexus.prevents_removal for nexus in self.drive.nexuses.all()):
                raise Conflict("the drive does not let the cartridge go", why="a host prevents its removal")
            self.drive.take_out()
            self._keep()

    def write_protect(self, directory: Path, on: bool) -> None:
        """Slide the tab of a cartridge that is not in the drive."""
        with self._turn:
            inside = self.drive.cartridge
            if inside is not None and inside.directory.resolve() == directory.resolve():
                raise Conflict("the tab cannot be reached", why="the cartridge is in the drive", mend="eject it first")
            cartridge.protect(directory, on)

    def set(self, **knobs: object) -> None:
        """Turn knobs: rows of the personality."""
        with self._turn:
            self.description = self.description.with_knobs(knobs)
            self.drive.personality = self.description.personality
            self.description.save(self.directory)

    def reset(self) -> None:
        """Hard reset, as by a host's bus reset: keys, locks, reservations and current mode values are gone."""
        with self._turn:
            self.drive.reset()

    def power_cycle(self, *, orderly: bool = True) -> None:
        """Take the power away and give it back. Not orderly: what was not flushed may be lost, as in life."""
        with self._turn:
            self.power_off(orderly=orderly)
            self.power_on()

    def status(self) -> dict[str, object]:
        """What one sees by looking at the drive."""
        with self._turn:
            self.drive.wake()
            inside = self.drive.cartridge
            return {
                "personality": self.description.personality.name,
                "serial": self.description.serial,
                "place": self.drive.place.value,
                "cartridge": str(inside.directory) if inside else None,
                "barcode": inside.identity.barcode if inside else None,
                "write_protected": inside.protected if inside else None,
            }

    # --- the robot's gripper ---

    def hand_out(self, *, unloads: bool) -> float:
        """Give the cartridge to the robot, and tell in how many seconds it is out. NotGiven if the drive keeps it."""
        with self._turn:
            powered = self.drive
            if any(nexus.prevents_removal for nexus in powered.nexuses.all()):
                raise NotGiven("a host prevents its removal", prevented=True)
            if not powered.lets_go and not unloads:
                raise NotGiven("no host has unloaded it", prevented=False)
            out_at = self.clock() + powered.personality.unload_time
            if powered.place in (Place.EMPTY, Place.MOUTH):
                out_at = powered.ready_at
            powered.take_out()
            self._note()
            return max(0.0, out_at - self.clock())

    def lay_back(self, directory: Path) -> None:
        """Take a cartridge back into the mouth, from where it was given."""
        with self._turn:
            self._reinsert(directory, Place.MOUTH)
            self._note()

    def give_up(self) -> None:
        """Give a cartridge back that was just put in."""
        with self._turn:
            self._give_back()
            self._note()

    def _give_back(self) -> None:
        """Out with it, even if the disk fails while it is unloaded: that was nobody's data yet."""
        with contextlib.suppress(OSError):
            self.drive.take_out()
        self.drive.take_out()

    def _note(self) -> None:
        """Keep what the library's inventory keeps as well: if that fails, the next command tries again."""
        with contextlib.suppress(OSError):
            self._keep()

    # --- power ---

    def power_on(self) -> None:
        """Begin with defaults, saved modes, and the cartridge that was left inside."""
        modes = Modes(saved=dict(self.description.saved_modes))
        modes.power_on()
        facts = self.description
        self._drive = Drive(facts.personality, facts.serial, facts.naa, modes, self.clock, self._wrapping_key())
        self._drive.reservations = Reservations.restored(facts.reservations)
        self._drive.powered_at, self._drive.pause = self.clock(), self._pause
        if self.bay is not None:
            self._drive.library, self._drive.element = self.bay.library, self.bay.element
        self._off.clear()
        inside = facts.cartridge if self.bay is None else self.bay.content()
        if inside is not None and inside.exists():
            self._reinsert(inside, facts.place if inside == facts.cartridge else Place.MOUNTED)
        self._keep()

    def _pause(self, until: float) -> None:
        """Let others in until then, or until the power goes. A clock that a test moves is not waited for."""
        seconds = until - self.clock()
        if seconds <= 0 or self.clock is not time.monotonic:
            return
        powered = self._drive
        taken = powered.taken if powered else 0
        self._turn.release()
        try:
            self._off.wait(seconds)
        finally:
            self._turn.acquire()
            if powered is not None:
                powered.owed.settle()
                powered.taken = taken  # of the command that waited, not of those that it let in

    def power_off(self, *, orderly: bool = True) -> None:
        """Forget everything that needs power; orderly, the tape is settled first."""
        powered = self.drive
        self._off.set()
        powered.parameters.wipe()
        inside, self._drive = powered.cartridge, None
        powered.cartridge, powered.place = None, Place.EMPTY
        if inside is not None:
            if orderly and inside.loaded:
                inside.unload()
            inside.close()

    def _reinsert(self, directory: Path, place: Place) -> None:
        powered = self.drive
        try:
            inside = Cartridge.open(directory)
        except Malformed:
            return
        if place is Place.MOUTH:
            powered.cartridge, powered.place = inside, Place.MOUTH
        else:
            powered.insert(inside, announced=False)

    def _wrapping_key(self) -> rsa.RSAPrivateKey | None:
        path = self.directory / WRAPPING_KEY
        if not self.description.personality.public_key or not path.exists():
            return None
        return wrapping.load(path.read_bytes())

    def _keep(self) -> None:
        """Write the description when what it keeps has changed. Every command ends with this question."""
        powered = self._drive
        if powered is None:  # a command that waited has lost the power
            return
        reservations = powered.reservations.kept()
        if self._kept == (powered.cartridge, powered.place, powered.modes.saved, reservations):
            return
        inside = powered.cartridge.directory.absolute() if powered.cartridge else None
        place = Place.MOUTH if powered.place is Place.MOUTH else Place.EMPTY if inside is None else Place.MOUNTED
        now = self.description.with_contents(inside, place, powered.modes.saved, reservations)
        if now != self.description:
            now.save(self.directory)
            self.description = now
        self._kept = (powered.cartridge, powered.place, dict(powered.modes.saved), reservations)

"""The rig: a keystore, a virtual drive and a cartridge, joined in process, with a clock that the test moves.

Nothing here is a mock: manager, mount, drive code and device server are the shipped ones. `faulty` breaks one command
at the waist.
"""

import io
import random
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tapekey.drive import abilities, data, load
from tapekey.drive import identity as drive_identity
from tapekey.drive.load import Patience
from tapekey.exchange import Command, Reply, Transport
from tapekey.keys import identity
from tapekey.keys.identity import Identity, Kind
from tapekey.keys.recipient import PublicRecipient
from tapekey.keystore import birth, recipients, rules, store
from tapekey.keystore.audit import Line
from tapekey.keystore.slots import KeyFile
from tapekey.manager.bare import BareManager
from tapekey.manager.local import LocalManager, open_manager
from tapekey.manager.questions import DriveRecord
from tapekey.mount.options import Options
from tapekey.mount.restore import Restored, restore
from tapekey.mount.save import Saved, save
from tapekey.mount.unload import Unloaded, unload
from tapekey.policy.facts import Carry, Rule, Stance, Subject
from tapekey.target import cartridge, machine
from tapekey.target.machine import Machine
from tapekey.target.personality import PERSONALITIES, replace

VOLSER = "ENC001L6"
# Bytes that do not compress: in clear they would lie on the medium as they are.
PLAIN = random.Random(700).randbytes(48_300)
PARTNER, OFFLINE = "partner", "offline"


@dataclass
class Clock:
    """Seconds for drives, a time of day for the keystore; both stand until the test moves them."""

    seconds: float = 0.0

    def __call__(self) -> float:
        return self.seconds

    def move(self, seconds: float) -> None:
        self.seconds += seconds

    def utc(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self.seconds)


@dataclass
class Rig:
    """One agent with one drive. `people` are private keys that are not in the keystore."""

    directory: Path
    machine: Machine
    manager: LocalManager
    clock: Clock
    generation: str
    people: dict[str, Identity] = field(default_factory=dict)

    @property
    def host(self) -> Transport:
        """The agent's own nexus."""
        return self.machine.transport()

    @property
    def settled(self) -> Transport:
        """The same nexus, its unit attentions collected: for what a test does beside the flows."""
        load.presence(self.host)
        return self.host

    @property
    def serial(self) -> str:
        return self.machine.description.serial

    def options(self, **changed: Any) -> Options:
        """What a test says unless it means something else."""
        patience = Patience(seconds=600.0, pause=2.0, clock=self.clock, sleep=self.clock.move)
        said: dict[str, Any] = {"allow_virtual": True, "patience": patience, "unguarded": frozenset({self.serial})}
        return Options(**said | changed)

    def save(self, over: Transport | None = None, **options: Any) -> Saved:
        return save(over or self.host, self.manager, self.options(**options))

    def restore(self, over: Transport | None = None, **options: Any) -> Restored:
        return restore(over or self.host, self.manager, self.options(**options), manager=self.manager)

    def restore_alone(self, *people: str, **options: Any) -> Restored:
        """Restore with private keys only: no keystore."""
        return restore(self.host, BareManager(tuple(self.people[name] for name in people)), self.options(**options))

    def unload(self, over: Transport | None = None) -> Unloaded:
        return unload(over or self.host, self.manager, self.options().patience)

    # --- tape and cartridges ---

    def write(self, content: bytes = PLAIN, over: Transport | None = None) -> None:
        data.write(over or self.settled, io.BytesIO(content), block=4096)

    def read(self) -> bytes:
        sink = io.BytesIO()
        data.read(self.settled, sink, block=4096)
        return sink.getvalue()

    def cartridge(self, name: str, volser: str = VOLSER, **kind: Any) -> Path:
        """Make another cartridge; its directory."""
        place = self.directory / name
        cartridge.create(place, self.generation, volser, **kind)
        return place

    def insert(self, place: Path) -> None:
        self.machine.insert(place)

    def eject(self) -> None:
        self.machine.eject()

    def reload(self) -> None:
        """Unload through the agent, take the cartridge out, and put it back in."""
        place = self.inside
        self.unload()
        self.eject()
        self.insert(place)

    @property
    def inside(self) -> Path:
        held = self.machine.drive.cartridge
        assert held is not None
        return held.directory

    def medium_bytes(self) -> bytes:
        """Everything that the cartridge's directory holds."""
        return b"".join(path.read_bytes() for path in sorted(self.inside.rglob("*")) if path.is_file())

    # --- the store ---

    def scratch(self, medium_serial: str) -> None:
        self.manager.scratch(medium_serial, by="operator")

    def rule(self, stance: Stance, pattern: str = "ENC*", *names: str, **more: Any) -> None:
        """Put a rule in place of the one for the same pattern."""
        rule = Rule(Subject.VOLSER, pattern, stance, names, **more)
        with self.manager.store.writing() as transaction:
            if any(
                (known.subject, known.pattern) == (rule.subject, rule.pattern) for known in rules.every(transaction)
            ):
                rules.remove(transaction, rule.subject, rule.pattern)
            rules.add(transaction, rule)

    def audit(self) -> list[Line]:
        return store.audit_lines(self.manager.store)

    def alarms(self) -> list[Line]:
        return store.audit_lines(self.manager.store, alarms_only=True)

    def approve(self, *, pinned: bool = False, hands_off: bool = False, where: str = "virtual:") -> None:
        """Put the drive on record, with its public key if `pinned`."""
        drive = drive_identity.identify(self.host)
        key = self._public_key() if pinned else b""
        self.manager.approve(
            DriveRecord(
                drive.serial,
                drive.naa,
                drive.vendor,
                drive.product,
                where,
                virtual=True,
                hands_off=hands_off,
                key=key,
            )
        )

    def _public_key(self) -> bytes:
        """The drive's own wrapping key as DER SubjectPublicKeyInfo (page 0031h)."""
        shown = abilities.abilities(self.settled).public_key
        assert shown is not None
        key = rsa.RSAPublicNumbers(shown.exponent, shown.modulus).public_key()
        return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


@contextmanager
def rig(
    directory: Path,
    personality: str = "ibm-lto6",
    *,
    volser: str = VOLSER,
    stance: Stance | None = Stance.REQUIRE,
    names: tuple[str, ...] = ("site", PARTNER),
    carry: Carry = Carry.FULL,
    single_copy: bool = False,
    approved: bool = True,
    inserted: bool = True,
    **knobs: object,
) -> Iterator[Rig]:
    """A keystore with a rule for ENC*, an approved drive, and a blank cartridge in it."""
    facts = replace(PERSONALITIES[personality], **knobs)
    clock = Clock()
    people = {PARTNER: identity.generate(Kind.X25519), OFFLINE: identity.generate(Kind.X25519)}
    opener = new_store(directory, people, clock, single_copy=single_copy)
    machine.create(directory / "drive", facts)
    with (
        Machine.open(directory / "drive", clock) as powered,
        open_manager(directory / "store", [opener], clock.utc) as manager,
    ):
        built = Rig(directory, powered, manager, clock, facts.generation, people)
        if stance is not None:
            built.rule(stance, "ENC*", *(names if stance in rules.KEYED else ()), carry=carry)
        if approved:
            built.approve()
        place = built.cartridge("cartridge", volser)
        if inserted:
            built.insert(place)
        yield built


def new_store(directory: Path, people: dict[str, Identity], clock: Clock, *, single_copy: bool) -> KeyFile:
    """A keystore with the partner's public key, opened by a key file; without single copies it has an offline one."""
    key_file = directory / "key-file"
    key_file.touch(mode=0o600)
    key_file.write_bytes(secrets.token_bytes(32))
    opener = KeyFile(key_file)
    offline = people[OFFLINE].recipient
    assert isinstance(offline, PublicRecipient)
    recovery = None if single_copy else offline
    birth.create(
        directory / "store", [opener], recovery_recipient=recovery, unsafe_single_copy=single_copy, clock=clock.utc
    )
    with store.open_store(directory / "store", [opener], clock.utc) as opened, opened.writing() as transaction:
        recipients.add(transaction, PARTNER, people[PARTNER].recipient)
    return opener


Answer = Reply | Exception | Callable[[Command, Reply], Reply]


@dataclass
class Faulty:
    """A transport that breaks what matches: an answer instead, an error raised, or the true answer changed."""

    inner: Transport
    when: Callable[[Command], bool]
    reply: Answer
    after: int = 0  # so many matches pass first
    times: int = 1  # so many are broken; -1: all that follow
    deliver: bool = True  # whether the drive gets a broken command all the same
    seen: list[Command] = field(default_factory=list)
    met: int = 0

    def execute(self, command: Command) -> Reply:
        self.seen.append(command)
        if not self.when(command):
            return self.inner.execute(command)
        self.met += 1
        broken = self.met > self.after and (self.times < 0 or self.met <= self.after + self.times)
        if not broken:
            return self.inner.execute(command)
        changing = not isinstance(self.reply, Reply | Exception)
        true = self.inner.execute(command) if self.deliver or changing else Reply(0)
        if isinstance(self.reply, Exception):
            raise self.reply
        return self.reply if isinstance(self.reply, Reply) else self.reply(command, true)


def faulty(
    transport: Transport,
    *,
    when: Callable[[Command], bool],
    reply: Answer,
    after: int = 0,
    times: int = 1,
    deliver: bool = True,
) -> Faulty:
    """Break matching commands at the waist."""
    return Faulty(transport, when, reply, after, times, deliver)


def opcode(*codes: int) -> Callable[[Command], bool]:
    """Matches commands by operation code."""
    return lambda command: command.cdb[0] in codes


def page(code: int, number: int) -> Callable[[Command], bool]:
    """Matches SECURITY PROTOCOL IN (A2h) or OUT (B5h) of one page of tape data encryption."""
    return lambda command: command.cdb[:2] == bytes([code, 0x20]) and command.cdb[2:4] == number.to_bytes(2, "big")


def check_condition(key: int, asc: int, ascq: int) -> Reply:
    """Fixed format sense data with these codes."""
    return Reply(2, b"", bytes([0x70, 0, key, 0, 0, 0, 0, 10, 0, 0, 0, 0, asc, ascq, 0, 0, 0, 0]))

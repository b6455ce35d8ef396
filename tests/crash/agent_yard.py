"""Virtual drives of every kind under one agent, a keystore, and agents to be started and ended.

The drives are powered by a process of their own (`tests.service.fleet`); the agent reaches each through a tap.
"""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tapekey.drive import abilities, guard, load, modes, parameters
from tapekey.errors import AgentMissing, TapekeyError, TransportFailed
from tapekey.exchange import Transport
from tapekey.keys import identity
from tapekey.keys.identity import Kind
from tapekey.keystore import qualifications, rules
from tapekey.keystore.qualifications import Qualified, Tried
from tapekey.manager.local import LocalManager, open_manager
from tapekey.manager.questions import DriveRecord
from tapekey.policy.facts import Rule, Stance, Subject
from tapekey.secret import Secret
from tapekey.service import asking
from tapekey.target import cartridge, description, machine
from tapekey.target.personality import PERSONALITIES
from tapekey.transport.socket import connect
from tests import rig
from tests.crash.agent_birth import Births
from tests.crash.agent_tap import Tap, taps
from tests.mount.resting import GUARDED, PARKING, PARKS

# fmt: off
DRIVES: Final[Mapping[str, str]] = {
    "G0": GUARDED, "G1": GUARDED,  # jobs, behind writes-require-encryption
    "P0": PARKING, "P1": PARKING,  # jobs, behind a parked key
    "E0": GUARDED, "E1": PARKING,  # stay empty
    "HANDS": GUARDED,              # hands-off: its job set a key of its own
    "OBSERVE": GUARDED,            # its job writes in clear
}
# fmt: on
KEYED: Final = ("G0", "G1", "P0", "P1")
EMPTY: Final = ("E0", "E1")
LEFT: Final = ("HANDS", "OBSERVE")
PATIENCE: Final = 120.0


@dataclass(frozen=True, slots=True)
class Record:
    """What a drive says of itself: key instance counter, modes, key-associated data, and its guard."""

    counter: int
    modes: modes.Pair
    kads: bytes
    guard: guard.GuardState | None


@dataclass(slots=True)
class Yard:
    """`births` are the installations of the package; the first is the one in use at the beginning."""

    directory: Path
    manager: LocalManager
    taps: dict[str, Tap]
    births: list[Births]
    pid: int = 0
    tapes: dict[str, list[Path]] = field(default_factory=dict)

    @property
    def socket(self) -> Path:
        return self.directory / "run" / "agent.sock"

    @property
    def log(self) -> str:
        place = self.directory / "log"
        return place.read_text()[-4000:] if place.exists() else ""

    def start(self) -> None:
        """A new agent of the installation that is in use."""
        self.pid = self.births[0].agent(self.directory / "tapekey.toml", self.directory / "log")

    def ended(self) -> int:
        """Its exit status, or the signal below zero; waited for."""
        status, self.pid = self.births[0].end_of(self.pid), 0
        return status

    def swap(self) -> None:
        """The other installation is the one in use."""
        self.births.append(self.births.pop(0))

    def drive(self, name: str) -> Path:
        return self.directory / name

    def told(self) -> Mapping[str, Any]:
        """What the agent says, or nothing while it is not there."""
        try:
            return asking.ask(self.socket, "status", timeout=PATIENCE)
        except (AgentMissing, TransportFailed):
            return {}

    def views(self) -> dict[str, Mapping[str, Any]]:
        return {view["serial"]: view for view in self.told().get("drives", [])}

    def panel(self, name: str, verb: str, **more: str) -> None:
        with connect(self.drive(name) / machine.SOCKET, "panel") as link:
            told = link.control(verb, **more)
        assert told.get("ok", True) is not False, told

    def tape(self, name: str) -> Path:
        """A new cartridge for that drive."""
        made = self.tapes.setdefault(name, [])
        place = self.directory / f"{name}-tape-{len(made)}"
        facts = PERSONALITIES[DRIVES[name]]
        cartridge.create(place, facts.generation, f"{name[:2]}{len(made):04}L6")
        made.append(place)
        return place

    @contextmanager
    def nexus(self, name: str, nexus: str = "inquest") -> Iterator[Transport]:
        """Another initiator on the drive itself, its news collected."""
        with connect(self.drive(name) / machine.SOCKET, nexus) as link:
            load.presence(link)
            yield link

    def record(self, name: str) -> Record:
        with self.nexus(name) as link:
            status = parameters.status(link)
            page = guard.look(link) if DRIVES[name] == GUARDED else None
        kads = parameters.kads_of(status.kads)
        return Record(status.key_instance_counter, modes.in_force(status), kads, page)

    def until(self, true: Callable[[], object], what: str) -> None:
        """Wait for a condition, with an end to it."""
        end = time.monotonic() + PATIENCE
        while not true():
            assert time.monotonic() < end, f"{what}: {self.told()}\n{self.log}"
            time.sleep(0.01)


@contextmanager
def yard(directory: Path, births: list[Births]) -> Iterator[Yard]:
    """All drives on and approved, those that others use in use, and no agent."""
    for name, personality in DRIVES.items():
        machine.create(directory / name, personality, serial=name)
    people = {name: identity.generate(Kind.X25519) for name in (rig.PARTNER, rig.OFFLINE)}
    opener = rig.new_store(directory, people, rig.Clock(), single_copy=False)
    with ExitStack() as stack:
        stack.enter_context(_powered(directory))
        manager = stack.enter_context(open_manager(directory / "store", [opener]))
        drives = {name: directory / name for name in DRIVES}
        tapped = stack.enter_context(taps(drives, {name: directory / f"tap-{name}" for name in DRIVES}))
        made = Yard(directory, manager, tapped, births)
        _on_record(made)
        _settings(made)
        yield made


@contextmanager
def _powered(directory: Path) -> Iterator[None]:
    command = [sys.executable, "-m", "tests.service.fleet", *(str(directory / name) for name in DRIVES)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as powered:
        assert powered.stdout is not None
        assert powered.stdin is not None
        assert powered.stdout.readline() == "powered\n"
        try:
            yield
        finally:
            powered.stdin.close()
            powered.wait(PATIENCE)


def _on_record(made: Yard) -> None:
    """Rules, approvals, and that parked keys were tried."""
    require = Rule(Subject.DEFAULT, "", Stance.REQUIRE, ("site", rig.PARTNER))
    observe = Rule(Subject.DRIVE, "OBSERVE", Stance.OBSERVE)
    tried = tuple(Tried(trial.value, "yes", "") for trial in PARKS)
    with made.manager.store.writing() as transaction:
        rules.add(transaction, require)
        rules.add(transaction, observe)
        for name in DRIVES:
            facts = description.Description.load(made.drive(name))
            parks = facts.personality.name == PARKING
            kept = Qualified(name, facts.naa, facts.personality.revision, tried if parks else ())
            qualifications.keep(transaction, kept)
    for name in DRIVES:
        facts = description.Description.load(made.drive(name))
        uri = f"virtual:{made.directory / f'tap-{name}'}"
        maker = (facts.personality.vendor, facts.personality.product)
        made.manager.approve(DriveRecord(name, facts.naa, *maker, uri, virtual=True, hands_off=name == "HANDS"))


def _settings(made: Yard) -> None:
    drives = ", ".join(f'"virtual:{made.directory / f"tap-{name}"}"' for name in DRIVES)
    (made.directory / "tapekey.toml").write_text(
        f'store = "{made.directory / "store"}"\nkey_file = "{made.directory / "key-file"}"\nallow_virtual = true\n'
        f'[agent]\nruntime = "{made.directory / "run"}"\ndrives = [{drives}]\ndiscover = false\n'
        "empty_seconds = 0.1\nquiet_seconds = 0.1\n"
    )


def foreign_key(link: Transport) -> None:
    """What other software does that sets keys by itself."""
    able = abilities.abilities(link)
    key = Secret.taken_from(bytearray(range(32)))
    try:
        parameters.set_key(link, able, encryption=modes.WRITE[0], decryption=modes.WRITE[1], plain=key)
    except TapekeyError as error:
        raise AssertionError("the job's own key cannot be set") from error

"""Drives that have guards to rest on: one that refuses clear writes, one that only keeps a parked key."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tapekey.drive import identity, modes, parameters
from tapekey.drive.modes import Pair
from tapekey.drive.qualification import Trial
from tapekey.exchange import Command, Reply, Transport
from tapekey.keystore import qualifications, rules
from tapekey.keystore.qualifications import Qualified, Tried
from tapekey.manager.questions import Mount
from tapekey.mount.rest import Resting
from tapekey.mount.rest import rest as bring_to_rest
from tapekey.policy.facts import Rule, Stance, Subject
from tapekey.secret import Secret
from tests.rig import PARTNER, Faulty, Rig, faulty, rig

GUARDED, PARKING = "ibm-lto6", "hpe-lto6"
PARKS = (Trial.PARKS, Trial.PARKED_STAYS, Trial.PARKED_ENCRYPTS)


@contextmanager
def drive(directory: Path, personality: str = PARKING, **more: Any) -> Iterator[Rig]:
    """An empty, approved and qualified drive, for which `require` holds by default."""
    with rig(directory, personality, inserted=False, **more) as agent:
        default(agent, Stance.REQUIRE)
        qualify(agent, dict.fromkeys(PARKS, "yes"))
        yield agent


def default(agent: Rig, stance: Stance, *names: str) -> None:
    """What holds where no other rule does."""
    chosen = names or (("site", PARTNER) if stance in rules.KEYED else ())
    with agent.manager.store.writing() as transaction:
        if any(known.subject is Subject.DEFAULT for known in rules.listed(transaction)):
            rules.remove(transaction, Subject.DEFAULT, "")
        rules.add(transaction, Rule(Subject.DEFAULT, "", stance, chosen))


def qualify(agent: Rig, answers: dict[Trial, str]) -> None:
    """Put a qualification on record for the drive as it is."""
    who = identity.identify(agent.host)
    tried = tuple(Tried(trial.value, answer, "") for trial, answer in answers.items())
    with agent.manager.store.writing() as transaction:
        qualifications.keep(transaction, Qualified(who.serial, who.naa, who.revision, tried))


def rest(agent: Rig, over: Transport | None = None, **options: Any) -> Resting:
    return bring_to_rest(over or agent.host, agent.manager, agent.options(**options))


def in_force(agent: Rig) -> Pair:
    return modes.in_force(parameters.status(agent.settled))


def current(agent: Rig) -> Mount:
    mount = agent.manager.current(agent.serial)
    assert mount is not None
    return mount


def events(agent: Rig) -> list[str]:
    return [line.event for line in agent.audit()]


def alarms(agent: Rig) -> list[str]:
    return [line.event for line in agent.alarms()]


class Killed(BaseException):
    """The process is gone: nothing cleans up."""


def killed_after(transport: Transport, command: int) -> Faulty:
    """The drive does that one of all commands, and nobody is there to hear of it, or to send another."""
    dead: list[Command] = []

    def die(last: Command, __: Reply) -> Reply:
        dead.append(last)
        raise Killed

    def send(_: Command) -> bool:
        if dead:
            raise Killed
        return True

    return faulty(transport, when=send, reply=die, after=command)


def clear_settings(commands: list[Command]) -> int:
    """How often a command left the drive without a key for writing: Set Data Encryption with ENCRYPTION = DISABLE."""
    count = 0
    for command in commands:
        if command.cdb[0] == 0xB5 and isinstance(command.data_out, Secret):
            with command.data_out.reveal() as page:
                count += page[6] == 0
    return count

"""A keystore for tests: a quick passphrase slot, an offline recovery recipient, and a clock that the test moves."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from tapekey.keys import identity
from tapekey.keys.brief import KadRoom
from tapekey.keys.identity import Identity, Kind
from tapekey.keys.recipient import KekRecipient
from tapekey.keystore import birth, database, slots, store
from tapekey.keystore.rows import Transaction
from tapekey.keystore.store import Store
from tapekey.manager.local import LocalManager, open_manager
from tapekey.manager.questions import Evidence, Prepared, Request
from tapekey.policy.facts import Carry, Rule, Stance, Subject
from tapekey.secret import Secret

QUICK = slots.Cost(memory=64, passes=1, lanes=1)
WORDS = b"correct horse battery staple"
LTO4, LTO6 = KadRoom(12, 32), KadRoom(60, 32)
REQUIRE_SITE = Rule(Subject.VOLSER, "ENC*", Stance.REQUIRE, ("site",))


@dataclass(slots=True)
class Clock:
    now: datetime = field(default=datetime(2026, 11, 23, 12, tzinfo=UTC))

    def __call__(self) -> datetime:
        return self.now

    def wait(self, **time: int) -> None:
        self.now += timedelta(**time)


def words(text: bytes = WORDS) -> slots.Passphrase:
    return slots.Passphrase(Secret(text), QUICK)


@cache
def key_pair(kind: Kind, number: int = 0) -> Identity:
    """One pair for each kind and number in a test run."""
    return identity.generate(kind)


def public_rsa(number: int = 0) -> Identity:
    return key_pair(Kind.RSA_3072, number)


RECOVERY = Kind.X25519


def make(directory: Path, *, unsafe: bool = False, clock: Clock | None = None) -> Path:
    """A keystore with a recovery recipient; with `unsafe`, without one."""
    place = directory / "store"
    recovery = None if unsafe else key_pair(RECOVERY, 99).recipient
    assert not isinstance(recovery, KekRecipient)
    birth.create(place, [words()], recovery_recipient=recovery, unsafe_single_copy=unsafe, clock=clock or Clock())
    return place


@contextmanager
def opened(directory: Path, clock: Clock | None = None) -> Iterator[Store]:
    with store.open_store(directory, [words()], clock or Clock()) as found:
        yield found


@contextmanager
def manager(directory: Path, clock: Clock | None = None) -> Iterator[LocalManager]:
    with open_manager(directory, [words()], clock or Clock()) as found:
        yield found


def write(keystore: Store, change: Callable[[Transaction], object]) -> None:
    with keystore.writing() as transaction:
        change(transaction)


def tamper(directory: Path, statement: str, *values: object) -> int:
    """Change the file behind the keystore's back, as somebody with a SQLite shell would."""
    with sqlite3.connect(directory / database.FILE) as connection:
        changed = connection.execute(statement, values).rowcount
    connection.close()
    return changed


def request(medium: str = "MED0000001", *, rule: Rule = REQUIRE_SITE, room: int = 2000, kad: KadRoom = LTO6) -> Request:
    return Request(medium, "ENC001L6", rule, room, kad)


def id_only(rule: Rule = REQUIRE_SITE) -> Rule:
    return Rule(rule.subject, rule.pattern, rule.stance, rule.recipients, Carry.ID)


def found(prepared: Prepared, medium: str = "MED0000001") -> Evidence:
    """What a cartridge carries that got all that was prepared."""
    envelopes = (prepared.envelope,) if prepared.envelope else ()
    return Evidence(medium, ("ENC001L6",), envelopes, prepared.kad)

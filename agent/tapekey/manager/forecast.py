"""What `require` would refuse, of all that was seen while nothing was touched: drives, cartridges, recipients.

A sighting is of its own time. What the store knows better by now (approvals, rules, who was declared scratch) is taken
from the store.
"""

from dataclasses import dataclass, replace
from typing import Final

from tapekey.keystore import cartridges, drives, qualifications, rules
from tapekey.keystore.rows import Transaction
from tapekey.keystore.store import Store
from tapekey.manager import fitting, sightings
from tapekey.manager.questions import Sighting
from tapekey.policy import rules as matching
from tapekey.policy.decision import MakeKey, Refusal
from tapekey.policy.facts import CartridgeFacts, Contents, DriveFacts, KeyFacts, Rule, Subject
from tapekey.policy.foresee import Remark, foresee, remarks
from tapekey.policy.rules import Subjects

PENDING: Final = Remark("it is not approved", "tapekey drive approve DRIVE", refuses=True)
UNSEEN: Final = Remark("it was not looked at yet", "let the agent run under observe while it is used")
NO_BARCODE: Final = "no label is known: only rules for its pool, drive or library hold, or the default"
NOT_NAMED: Final = "no rule but the default names it"


@dataclass(frozen=True, slots=True)
class DriveForecast:
    serial: str
    seen: str
    remarks: tuple[Remark, ...]

    @property
    def refused(self) -> bool:
        """Whether every save on it would be refused."""
        return any(one.refuses for one in self.remarks)


@dataclass(frozen=True, slots=True)
class CartridgeForecast:
    """`number`, `why`, `mend` are those of the decision; `stance` is what holds now."""

    serial: str
    volsers: tuple[str, ...]
    drive: str
    seen: str
    contents: str
    stance: str
    refused: bool
    number: int
    why: str
    mend: str
    alarm: bool
    owner: str
    application: str
    left_out: tuple[str, ...]
    remarks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Forecast:
    drives: tuple[DriveForecast, ...]
    cartridges: tuple[CartridgeForecast, ...]


def forecast(store: Store) -> Forecast:
    """All of it, from the store alone."""
    with store.reading() as transaction:
        seen = sightings.every(transaction)
        newest: dict[str, Sighting] = {}
        for one in sorted(seen, key=lambda one: one.seen):
            if one.medium_serial:
                newest[one.medium_serial] = one
        return Forecast(
            tuple(_drives(transaction, seen)),
            tuple(_cartridge(transaction, store.manager_id, one) for one in newest.values()),
        )


def _drives(transaction: Transaction, seen: tuple[Sighting, ...]) -> list[DriveForecast]:
    approved = {row.serial: row for row in drives.every(transaction)}
    latest = {one.drive_serial: one for one in sorted(seen, key=lambda one: one.seen)}
    found = []
    for serial in sorted(approved.keys() | latest.keys()):
        one = latest.get(serial)
        found.append(DriveForecast(serial, one.seen if one else "", _remarks(transaction, serial, one)))
    return found


def _remarks(transaction: Transaction, serial: str, one: Sighting | None) -> tuple[Remark, ...]:
    record = drives.get(transaction, serial)
    if record is None:
        return (PENDING,)
    if one is None or one.drive is None:
        return (UNSEEN,)
    facts = replace(one.drive, approved=True, hands_off=record.hands_off)
    qualified = qualifications.get(transaction, serial)
    return remarks(facts, qualified=qualified is not None and qualified.naa == record.naa)


def _cartridge(transaction: Transaction, manager_id: bytes, one: Sighting) -> CartridgeForecast:
    assert one.cartridge is not None
    rule, drive, key = _known_better(transaction, one)
    decision = foresee(rule, drive, one.cartridge, key)
    refused = isinstance(decision, Refusal)
    fresh = isinstance(decision, MakeKey)
    return CartridgeForecast(
        serial=one.medium_serial,
        volsers=one.volsers,
        drive=one.drive_serial,
        seen=one.seen,
        contents=one.cartridge.contents.value,
        stance=rule.stance.value,
        refused=refused,
        number=decision.number,
        why=decision.why,
        mend=getattr(decision, "mend", ""),
        alarm=getattr(decision, "alarm", False),
        owner=one.owner,
        application=one.application,
        left_out=fitting.left_out(transaction, manager_id, rule, one.medium_serial, one.memory_left) if fresh else (),
        remarks=tuple(_of_cartridge(one, rule, one.cartridge)),
    )


def _known_better(transaction: Transaction, one: Sighting) -> tuple[Rule, DriveFacts, KeyFacts]:
    """The rule, and what has been said since of drive and cartridge."""
    assert one.drive is not None
    assert one.key is not None
    record = drives.get(transaction, one.drive_serial)
    drive = replace(one.drive, approved=record is not None, hands_off=record is not None and record.hands_off)
    known = cartridges.get(transaction, one.medium_serial)
    key = one.key
    if known is not None:
        key = replace(key, scratch=known.scratch, once_required=known.once_required)
    subjects = Subjects(one.volsers, one.pool, one.drive_serial, one.library)
    rule = matching.kept_strict(matching.find(rules.every(transaction), subjects), key.once_required)
    return rule, drive, key


def _of_cartridge(one: Sighting, rule: Rule, facts: CartridgeFacts) -> list[str]:
    found = []
    if not one.volsers:
        found.append(NO_BARCODE)
    elif rule.subject is Subject.DEFAULT:
        found.append(NOT_NAMED)
    if facts.contents is Contents.BLANK:
        found.append("that it is blank is a guess until its tape is looked at")
    return found

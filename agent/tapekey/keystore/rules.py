"""The rules in their order, the default last."""

import os

from tapekey.errors import Conflict, NotFound, Usage
from tapekey.keystore import recipients
from tapekey.keystore.records import RecipientRecord, Role, RuleRecord
from tapekey.keystore.rows import Transaction
from tapekey.policy.facts import Rule, Stance, Subject

SITE = "site"  # every keystore is born with it
KEYED = (Stance.REQUIRE, Stance.ALLOW)
UNSET_DEFAULT = Rule(Subject.DEFAULT, "", Stance.OBSERVE)


def every(transaction: Transaction) -> tuple[Rule, ...]:
    """The rules as policy reads them. Without a default on record, the default only observes."""
    rules = tuple(_rule(record) for record in listed(transaction))
    return rules if rules and rules[-1].subject is Subject.DEFAULT else (*rules, UNSET_DEFAULT)


def listed(transaction: Transaction) -> list[RuleRecord]:
    """The rules on record in their order."""
    found = transaction.every(RuleRecord)
    return sorted(found, key=lambda record: (record.subject is Subject.DEFAULT, record.place))


def add(transaction: Transaction, rule: Rule) -> RuleRecord:
    """Put a rule behind the others. A rule that names no recipient wraps for the site."""
    if rule.stance in KEYED and not rule.recipients:
        rule = Rule(rule.subject, rule.pattern, rule.stance, (SITE,), rule.carry, rule.guard, rule.must_fit)
    _demand_sense(rule)
    _demand_recipients(transaction, rule)
    present = listed(transaction)
    if any((record.subject, record.pattern) == (rule.subject, rule.pattern) for record in present):
        raise Conflict(f"there is a rule for {_shown(rule)} already", mend="remove it first")
    place = 1 + max((record.place for record in present), default=0)
    record = _record(os.urandom(16), place, rule)
    transaction.insert(record)
    names = ", ".join(rule.recipients)
    transaction.note("rule added", rule=_shown(rule), stance=rule.stance.value, recipients=names, place=place)
    return record


def remove(transaction: Transaction, subject: Subject, pattern: str) -> None:
    """Take a rule away."""
    for record in listed(transaction):
        if (record.subject, record.pattern) == (subject, pattern):
            transaction.remove(record)
            transaction.note("rule removed", rule=_shown(_rule(record)), stance=record.stance.value)
            return
    raise NotFound(f"no rule for {subject.value} {pattern}", mend="see: tapekey rule list")


def _demand_sense(rule: Rule) -> None:
    if (rule.subject is Subject.DEFAULT) != (rule.pattern == ""):
        raise Usage("the rule names no pattern" if rule.pattern == "" else "the default rule takes no pattern")
    if rule.stance not in KEYED and rule.recipients:
        raise Usage(f"a rule that says {rule.stance.value} takes no recipients")
    strange = rule.must_fit - set(rule.recipients)
    if strange:
        raise Usage(f"must fit, but not a recipient of the rule: {', '.join(sorted(strange))}")
    if len(set(rule.recipients)) != len(rule.recipients):
        raise Usage("the rule names a recipient twice")


def _demand_recipients(transaction: Transaction, rule: Rule) -> None:
    """Every recipient exists; and where one is hybrid, the recovery recipient counted, none is classical."""
    recovery = recipients.with_role(transaction, Role.RECOVERY)
    named = [recipients.get(transaction, name) for name in rule.recipients]
    everyone = [*named, recovery] if named and recovery else named
    weak = [record for record in everyone if record.suite.classical]
    if weak and any(record.suite.hybrid for record in everyone):
        raise Usage(
            f"the rule for {_shown(rule)} would not withstand a quantum computer",
            why=f"it has a hybrid recipient, and {_names(weak)} would open the same key with a classical one",
            mend="use hybrid recipients and group keys only, the recovery recipient included",
        )


def _names(found: list[RecipientRecord]) -> str:
    return ", ".join(sorted({record.name for record in found}))


def _shown(rule: Rule) -> str:
    return f"{rule.subject.value} {rule.pattern}".strip()


def _rule(record: RuleRecord) -> Rule:
    return Rule(
        record.subject,
        record.pattern,
        record.stance,
        record.recipients,
        record.carry,
        record.guard,
        frozenset(record.must_fit),
    )


def _record(identifier: bytes, place: int, rule: Rule) -> RuleRecord:
    return RuleRecord(
        identifier,
        place,
        rule.subject,
        rule.pattern,
        rule.stance,
        rule.recipients,
        rule.carry,
        rule.guard,
        tuple(sorted(rule.must_fit)),
    )

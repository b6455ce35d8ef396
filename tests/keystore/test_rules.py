"""Rules: in their order, the default last, and only such as can be kept."""

from pathlib import Path

import pytest

from tapekey.errors import Conflict, NotFound, TapekeyError, Usage
from tapekey.keys.identity import Kind
from tapekey.keys.recipient import PublicRecipient
from tapekey.keystore import birth, recipients, rules
from tapekey.policy.facts import Carry, Guard, Rule, Stance, Subject
from tests.keystore import vault

FULL = Rule(
    Subject.VOLSER, "ENC001L6..ENC024L6", Stance.REQUIRE, ("site", "group"), Carry.ID, Guard.DRIVE, frozenset({"site"})
)
POOL = Rule(Subject.POOL, "weekly", Stance.FORBID)
DEFAULT = Rule(Subject.DEFAULT, "", Stance.ALLOW, ("site",))


def test_rules_come_back_as_given_with_the_default_last(tmp_path: Path) -> None:
    place = vault.make(tmp_path)
    with vault.opened(place) as keystore:
        for rule in (DEFAULT, FULL, POOL):
            vault.write(keystore, lambda one, rule=rule: rules.add(one, rule))  # type: ignore[misc]
    with vault.opened(place) as keystore, keystore.reading() as transaction:
        assert rules.every(transaction) == (FULL, POOL, DEFAULT)


def test_a_removed_rule_is_gone(tmp_path: Path) -> None:
    with vault.opened(vault.make(tmp_path)) as keystore, keystore.writing() as transaction:
        rules.add(transaction, FULL)
        rules.remove(transaction, FULL.subject, FULL.pattern)
        assert rules.every(transaction) == (rules.UNSET_DEFAULT,)
        with pytest.raises(NotFound):
            rules.remove(transaction, FULL.subject, FULL.pattern)


REFUSED: dict[str, tuple[Rule, type[TapekeyError]]] = {
    "unknown recipient": (Rule(Subject.VOLSER, "E*", Stance.REQUIRE, ("nobody",)), NotFound),
    "recipients of a rule without key": (Rule(Subject.VOLSER, "E*", Stance.FORBID, ("site",)), Usage),
    "no pattern": (Rule(Subject.VOLSER, "", Stance.REQUIRE, ("site",)), Usage),
    "default with pattern": (Rule(Subject.DEFAULT, "E*", Stance.OBSERVE), Usage),
    "must fit, not named": (
        Rule(Subject.VOLSER, "E*", Stance.REQUIRE, ("site",), must_fit=frozenset({"group"})),
        Usage,
    ),
    "named twice": (Rule(Subject.VOLSER, "E*", Stance.REQUIRE, ("site", "site")), Usage),
    "hybrid beside classical": (Rule(Subject.VOLSER, "E*", Stance.REQUIRE, ("pq", "site")), Usage),
    "hybrid with classical recovery": (Rule(Subject.VOLSER, "E*", Stance.REQUIRE, ("pq",)), Usage),
    "there already": (Rule(Subject.POOL, "weekly", Stance.ALLOW), Conflict),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_rule_that_cannot_be_kept_is_refused(tmp_path: Path, case: str) -> None:
    rule, error = REFUSED[case]
    with vault.opened(vault.make(tmp_path)) as keystore, keystore.writing() as transaction:
        recipients.add(transaction, "pq", vault.key_pair(Kind.MLKEM768_X25519).recipient)
        rules.add(transaction, POOL)
        with pytest.raises(error):
            rules.add(transaction, rule)
        assert len(rules.listed(transaction)) == 1


def test_a_hybrid_rule_stands_where_nothing_classical_does(tmp_path: Path) -> None:
    rule = Rule(Subject.VOLSER, "E*", Stance.REQUIRE, ("pq", "group"))
    with vault.opened(vault.make(tmp_path, unsafe=True)) as keystore, keystore.writing() as transaction:
        recipients.add(transaction, "pq", vault.key_pair(Kind.MLKEM768_X25519).recipient)
        rules.add(transaction, rule)
        assert rules.every(transaction)[0] == rule


def test_a_classical_rule_is_refused_beside_a_hybrid_recovery_recipient(tmp_path: Path) -> None:
    recovery = vault.key_pair(Kind.MLKEM768_X25519).recipient
    assert isinstance(recovery, PublicRecipient)
    birth.create(tmp_path / "store", [vault.words()], recovery_recipient=recovery)
    with vault.opened(tmp_path / "store") as keystore, keystore.writing() as transaction:
        with pytest.raises(Usage, match="site would open"):
            rules.add(transaction, Rule(Subject.VOLSER, "E*", Stance.REQUIRE, ("site",)))
        rules.add(transaction, Rule(Subject.VOLSER, "E*", Stance.REQUIRE, ("group",)))
        rules.add(transaction, Rule(Subject.VOLSER, "F*", Stance.FORBID))


def test_a_rule_that_names_nobody_wraps_for_the_site(tmp_path: Path) -> None:
    with vault.opened(vault.make(tmp_path)) as keystore, keystore.writing() as transaction:
        rules.add(transaction, Rule(Subject.VOLSER, "E*", Stance.REQUIRE))
        assert rules.every(transaction)[0].recipients == ("site",)

from tapekey.policy.decision import CloseDrive, Leave, MakeKey, Refusal, UseKey, WriteClear
from tapekey.policy.examples import examples
from tapekey.policy.facts import Guard, Rule, Stance, Subject


def outcomes(stance: Stance) -> dict[str, type]:
    return {name: type(decision) for name, decision in examples(Rule(Subject.VOLSER, "ENC*", stance))}


def test_under_require_only_blank_scratch_and_our_own_are_written() -> None:
    found = outcomes(Stance.REQUIRE)
    assert found.pop("blank") is found.pop("declared scratch") is MakeKey
    assert found.pop("ours, key active") is UseKey
    assert found.pop("write-protected") is Leave
    assert all(kind in Refusal for kind in found.values())


def test_observe_leaves_everything() -> None:
    assert set(outcomes(Stance.OBSERVE).values()) == {Leave}


def test_forbid_never_gives_a_key() -> None:
    assert set(outcomes(Stance.FORBID).values()) <= {WriteClear, Leave, *Refusal}


def test_a_drive_without_the_guard_that_the_rule_demands_gets_no_key() -> None:
    rule = Rule(Subject.DEFAULT, "", Stance.REQUIRE, guard=Guard.PARKED)
    weak = dict(examples(rule, guards=[Guard.GATE, Guard.HOOK, Guard.WATCHED]))["blank"]
    strong = dict(examples(rule, guards=[Guard.PARKED]))["blank"]
    assert (type(weak), weak.number) == (CloseDrive, 11)
    assert isinstance(strong, MakeKey)

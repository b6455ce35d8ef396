"""`tapekey rule`: what must be encrypted, and for whom."""

from typing import Any

import click

from tapekey import wiring
from tapekey.cli.options import store_options
from tapekey.cli.render import emit, json_option, table
from tapekey.errors import Usage
from tapekey.policy.decision import CloseDrive, Leave, MakeKey, Protect, Refuse, UseKey, WriteClear
from tapekey.policy.facts import Carry, Guard, Rule, Stance, Subject
from tapekey.wiring import Access

WORDS: dict[type, str] = {
    MakeKey: "new key",
    UseKey: "its key",
    WriteClear: "in clear",
    Leave: "left alone",
    CloseDrive: "refused",
    Protect: "refused",
    Refuse: "refused",
}
SUBJECTS = {"pool": Subject.POOL, "drive": Subject.DRIVE, "library": Subject.LIBRARY}


@click.group()
def rule() -> None:
    """What must be encrypted, and for whom."""


def _subject(pattern: str | None, others: dict[str, str | None], default: bool) -> tuple[Subject, str]:
    named = [(SUBJECTS[name], value) for name, value in others.items() if value]
    if pattern:
        named.append((Subject.VOLSER, pattern))
    if default:
        named.append((Subject.DEFAULT, ""))
    if len(named) != 1:
        raise Usage("a rule is for one thing", mend="give a volser pattern, --pool, --drive, --library or --default")
    return named[0]


def subject_options(function: Any) -> Any:
    """PATTERN, --pool, --drive, --library, --default."""
    for option in (
        click.argument("pattern", required=False),
        click.option("--pool", metavar="PATTERN", help="Compare with the media pool instead of the volser."),
        click.option("--drive", metavar="PATTERN", help="Compare with the drive's serial number."),
        click.option("--library", metavar="PATTERN", help="Compare with the library's serial number."),
        click.option("--default", is_flag=True, help="For everything that no other rule matches."),
    ):
        function = option(function)
    return function


@rule.command()
@subject_options
@click.option("--require", "stance", flag_value=Stance.REQUIRE.value, help="Encrypted, or not written at all.")
@click.option("--allow", "stance", flag_value=Stance.ALLOW.value, help="Encrypted if a key can be had, else clear.")
@click.option("--forbid", "stance", flag_value=Stance.FORBID.value, help="Never encrypted.")
@click.option("--observe", "stance", flag_value=Stance.OBSERVE.value, help="Look only; touch nothing.")
@click.option("--recipient", "recipients", multiple=True, help="Who may open it; in the order of room (repeatable).")
@click.option("--must-fit", multiple=True, metavar="NAME", help="Refuse when this recipient has no room (repeatable).")
@click.option("--carry", type=click.Choice([c.value for c in Carry]), default=Carry.FULL.value, show_default=True)
@click.option("--guard", type=click.Choice([g.value for g in Guard]), help="The least guard that will do.")
@store_options
def add(
    access: Access,
    pattern: str | None,
    pool: str | None,
    drive: str | None,
    library: str | None,
    default: bool,
    stance: str | None,
    recipients: tuple[str, ...],
    must_fit: tuple[str, ...],
    carry: str,
    guard: str | None,
) -> None:
    """Add a rule behind the others.

    PATTERN is a glob ('ENC*') or a range (ENC001L6..ENC024L6).
    """
    from tapekey.keystore import rules
    from tapekey.policy.rules import check

    if stance is None:
        raise Usage("a rule needs a stance", mend="give --require, --allow, --forbid or --observe")
    subject, name = _subject(pattern, {"pool": pool, "drive": drive, "library": library}, default)
    least = Guard(guard) if guard else None
    new = Rule(subject, name, Stance(stance), recipients, Carry(carry), least, frozenset(must_fit))
    check(new)
    with wiring.manager(access) as manager, manager.store.writing() as transaction:
        rules.add(transaction, new)
    click.echo(f"rule added: {subject.value} {name} {stance}".replace("  ", " "))


@rule.command()
@subject_options
@store_options
def remove(
    access: Access, pattern: str | None, pool: str | None, drive: str | None, library: str | None, default: bool
) -> None:
    """Remove a rule."""
    from tapekey.keystore import rules

    subject, name = _subject(pattern, {"pool": pool, "drive": drive, "library": library}, default)
    with wiring.manager(access) as manager, manager.store.writing() as transaction:
        rules.remove(transaction, subject, name)
    click.echo(f"rule removed: {subject.value} {name}".rstrip())


@rule.command("list")
@json_option
@store_options
def list_(access: Access, as_json: bool) -> None:
    """List the rules in the order in which they are tried."""
    with wiring.manager(access) as manager:
        found = [facts_of(rule) for rule in manager.rules()]
    head = ("subject", "pattern", "stance", "recipients", "must_fit", "carry", "guard")
    emit("rules", {"rules": found}, as_json, table(head, ([row[name] for name in head] for row in found)))


@rule.command()
@click.argument("volser")
@click.option("--pool", default="", help="The media pool that the cartridge is in.")
@click.option("--drive", default="", help="The drive's serial number.")
@click.option(
    "--guard",
    "guards",
    multiple=True,
    type=click.Choice([g.value for g in Guard]),
    help="A guard that the drive has, as `drive show` tells (repeatable); without any: all of them.",
)
@json_option
@store_options
def test(access: Access, volser: str, pool: str, drive: str, guards: tuple[str, ...], as_json: bool) -> None:
    """Say which rule holds for VOLSER, and what it decides in each situation."""
    from tapekey.policy.rules import Subjects, find

    with wiring.manager(access) as manager:
        holding = find(manager.rules(), Subjects((volser,), pool, drive))
    outcomes = decisions(holding, [Guard(each) for each in guards] or list(Guard))
    facts = {"volser": volser, "rule": facts_of(holding), "decisions": outcomes}
    head = ("situation", "save", "parameters", "guard")
    lines = [
        f"{volser}: {holding.stance.value} ({holding.subject.value} {holding.pattern})".replace(" )", ")"),
        f"recipients: {', '.join(holding.recipients) or 'none'}",
        "",
        *table(head, ([row[name] for name in head] for row in outcomes)),
    ]
    emit("rule-test", facts, as_json, lines)


def decisions(holding: Rule, guards: list[Guard]) -> list[dict[str, Any]]:
    """What the decision table says under this rule, for an approved drive with these guards, situation by situation."""
    from tapekey.policy.examples import examples

    return [
        {
            "situation": name,
            "save": WORDS[type(decision)],
            "rule": decision.number,
            "parameters": decision.modes.value,
            "guard": decision.guard.value,
            "why": decision.why,
        }
        for name, decision in examples(holding, guards=guards)
    ]


def facts_of(rule: Rule) -> dict[str, Any]:
    """A rule as JSON has it."""
    return {
        "subject": rule.subject.value,
        "pattern": rule.pattern,
        "stance": rule.stance.value,
        "recipients": list(rule.recipients),
        "must_fit": sorted(rule.must_fit),
        "carry": rule.carry.value,
        "guard": rule.guard.value if rule.guard else None,
    }

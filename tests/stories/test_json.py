"""Every command that prints facts prints them as JSON too, under a schema of its own."""

import json
from collections.abc import Iterator
from typing import Any

import click
import pytest

from tapekey import cli
from tapekey.service import control
from tapekey.service.view import AgentView, as_json
from tests.stories.transcript import Step, Teller, telling

K = "--store ks --key-file root.key"
SCENE = f"""
umask 077; head -c 32 /dev/urandom > root.key
tapekey recipient generate x25519 recovery.key
tapekey keystore init {K} --recovery-recipient recovery.key.pub
tapekey rule add ENC* --require {K}
tapekey target create drv --personality ibm-lto6 --serial DRIVE00001
tapekey cartridge create tape --generation lto6 --barcode ENC001L6
tapekey target insert drv tape
tapekey target serve drv &
tapekey drive approve virtual:drv --allow-virtual {K}
tapekey target create empty --personality ibm-lto6 --serial DRIVE00002
tapekey target create lib --drives 1 --slots 2 --personality quantum-lto4 --barcodes ENC001L4
tapekey drive approve virtual:empty --allow-virtual {K}
"""
# In this order: command, schema, and some of what it must tell.
COMMANDS: dict[str, tuple[str, dict[str, Any]]] = {
    f"save virtual:drv --allow-virtual {K}": (
        "tapekey.save/1",
        {"phase": "ready to write", "encrypted": True, "carried": ["recovery", "site"], "drive": "DRIVE00001"},
    ),
    f"drive status virtual:drv {K}": (
        "tapekey.drive-status/1",
        {"owner": "ours", "encryption_mode": "ENCRYPT", "writes_require_encryption": True, "scope": "ALL"},
    ),
    "drive show virtual:drv": ("tapekey.drive/1", {"serial": "DRIVE00001", "algorithm_index": 3, "u_kad_bytes": 32}),
    "cartridge show virtual:drv": ("tapekey.cartridge/1", {"volsers": ["ENC001L6"], "write_protected": False}),
    f"unload virtual:drv {K}": ("tapekey.unload/1", {"accounted": True, "cleared": False, "remarks": []}),
    f"restore virtual:drv --allow-virtual {K}": ("tapekey.restore/1", {"phase": "closed", "key": None}),
    f"cartridge list {K}": ("tapekey.cartridges/1", {}),
    f"keystore status {K}": ("tapekey.keystore/1", {"keys": {"active": 1}, "unsafe_single_copy": False}),
    f"keystore check {K}": ("tapekey.keystore-check/1", {"good": True}),
    f"recipient list {K}": ("tapekey.recipients/1", {}),
    f"rule list {K}": ("tapekey.rules/1", {}),
    f"rule test ENC001L6 {K}": ("tapekey.rule-test/1", {"volser": "ENC001L6"}),
    f"drive qualify virtual:empty {K}": ("tapekey.qualification/1", {"drive": "DRIVE00002"}),
    f"drive list --approved {K}": ("tapekey.drives/1", {}),
    "target status drv": ("tapekey.target/1", {"place": "mounted", "write_protected": False}),
    "target inventory lib": ("tapekey.target-inventory/1", {}),
    "target personalities": ("tapekey.personalities/1", {}),
    "status --socket agent.sock": ("tapekey.status/1", {"version": "0", "drives": []}),
    f"audit show {K}": ("tapekey.audit/1", {}),
    f"observe {K}": ("tapekey.observe/1", {"cartridges": [], "cartridges_refused": 0, "drives_refused": 0}),
    f"audit verify {K}": ("tapekey.audit-verify/1", {"good": True}),
}


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """What every command printed, played once in order."""
    with telling(tmp_path_factory.mktemp("json")) as teller:
        for command in SCENE.split("\n")[1:-1]:
            status, said = teller.run(command)
            assert status == 0, said
        view = as_json(AgentView("0", 1, 1.0, "ks"))
        with control.serving(teller.place / "agent.sock", {"status": lambda _caller, _arguments: view}):
            yield {command: facts_of(teller, command) for command in COMMANDS}


def facts_of(teller: Teller, command: str) -> Any:
    teller.tell(Step(0, f"tapekey {command} --json > out", (), 0))
    return json.loads((teller.place / "out").read_text())


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: " ".join(command.split()[:2]))
def test_facts_are_under_their_schema(command: str, told: dict[str, Any]) -> None:
    schema, some = COMMANDS[command]
    assert told[command]["schema"] == schema
    assert {name: told[command][name] for name in some} == some


def test_schemas_are_told_apart() -> None:
    assert len({schema for schema, _ in COMMANDS.values()}) == len(COMMANDS)


def test_every_command_with_facts_is_in_the_table() -> None:
    listed = {" ".join(command.split()[: len(path.split())]) for command in COMMANDS for path in with_json()}
    assert set(with_json()) <= listed


def with_json() -> list[str]:
    """The commands that have --json."""
    context = click.Context(cli.root)
    found = []
    for noun in cli.root.list_commands(context):
        command = cli.root.get_command(context, noun)
        verbs = command.commands.items() if isinstance(command, click.Group) else [("", command)]
        found += [f"{noun} {verb}".strip() for verb, one in verbs if one and "as_json" in [p.name for p in one.params]]
    return found


@pytest.mark.parametrize("command", ["rule list", "audit show", "keystore status", "save", "restore", "unload"])
def test_trap_knows_commands_with_facts(command: str) -> None:
    assert command in with_json()


def test_fingerprints_and_ids_are_text(told: dict[str, Any]) -> None:
    recipients = told[f"recipient list {K}"]["recipients"]
    assert {one["name"] for one in recipients} == {"site", "group", "recovery"}
    assert all(len(one["fingerprint"]) == 64 for one in recipients)

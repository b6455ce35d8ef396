import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tapekey import cli
from tapekey.target import cartridge, server
from tapekey.target.machine import Machine
from tapekey.target.personality import replace


@pytest.fixture
def place(tmp_path: Path) -> Path:
    key = tmp_path / "root.key"
    key.touch(mode=0o600)
    key.write_bytes(bytes(range(32)))
    assert cli.run(["keystore", "init", "--unsafe-single-copy", *opening(tmp_path)]) == 0
    assert cli.run(["target", "create", str(tmp_path / "drive"), "--personality", "ibm-lto6", "--serial", "D1"]) == 0
    return tmp_path


@pytest.fixture
def powered(place: Path) -> Iterator[Machine]:
    with server.powered(place / "drive") as machine:
        yield machine


def opening(place: Path) -> list[str]:
    return ["--store", str(place / "store"), "--key-file", str(place / "root.key")]


def approve(place: Path, *words: str) -> None:
    assert cli.run(["drive", "approve", f"virtual:{place / 'drive'}", "--allow-virtual", *words, *opening(place)]) == 0


def qualify(place: Path, *words: str) -> int:
    return cli.run(["drive", "qualify", f"virtual:{place / 'drive'}", *words, *opening(place)])


def shown(place: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    capsys.readouterr()
    assert cli.run(["drive", "show", f"virtual:{place / 'drive'}", "--json", *opening(place)]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert isinstance(facts, dict)
    return facts


def test_the_result_is_kept_and_shown(place: Path, powered: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    assert (shown(place, capsys)["approved"], shown(place, capsys)["qualification"]) == (False, None)
    approve(place)
    assert qualify(place, "--power-cycle") == 0
    said = capsys.readouterr().out
    assert "it is still set after the power was off" in said
    facts = shown(place, capsys)
    assert facts["approved"]
    assert (facts["qualification"]["firmware"], facts["qualification"]["holds"]) == ("G350", True)
    assert {"trial": "key_parks", "answer": "yes", "told": ""} in facts["qualification"]["results"]


def test_another_firmware_asks_for_another_trial(
    place: Path, powered: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    approve(place)
    assert qualify(place) == 0
    powered.drive.personality = replace(powered.drive.personality, revision="Q000")
    assert not shown(place, capsys)["qualification"]["holds"]
    assert cli.run(["drive", "show", f"virtual:{place / 'drive'}", *opening(place)]) == 0
    assert "the drive now has Q000: qualify it again" in capsys.readouterr().out


def test_a_scratch_cartridge_is_named_by_its_serial(place: Path, powered: Machine) -> None:
    approve(place)
    cartridge.create(place / "c", "lto6", "SCR001", capacity=64 << 20, margin=1 << 20)
    powered.insert(place / "c")
    held = powered.drive.cartridge
    assert held is not None
    assert qualify(place) == 100
    assert qualify(place, "--scratch-serial", "OTHER") == 100
    assert qualify(place, "--scratch-serial", held.identity.serial) == 0


def test_a_cartridge_with_a_key_on_record_is_not_written_until_it_is_scratch(place: Path, powered: Machine) -> None:
    approve(place)
    cartridge.create(place / "c", "lto6", "ENC001", capacity=64 << 20, margin=1 << 20)
    powered.insert(place / "c")
    held = powered.drive.cartridge
    assert held is not None
    serial, uri = held.identity.serial, f"virtual:{place / 'drive'}"
    assert cli.run(["rule", "add", "ENC*", "--require", "--recipient", "site", *opening(place)]) == 0
    assert cli.run(["save", uri, "--allow-virtual", *opening(place)]) == 0
    assert cli.run(["drive", "clear-key", uri, *opening(place)]) == 0
    assert qualify(place, "--scratch-serial", serial) == 100
    assert cli.run(["cartridge", "scratch", serial, *opening(place)]) == 0
    assert qualify(place, "--scratch-serial", serial) == 0


def test_only_an_approved_drive_is_set(place: Path, powered: Machine) -> None:
    assert qualify(place) == 109
    approve(place, "--hands-off")
    assert qualify(place) == 100


def test_a_drive_that_is_not_served_has_no_power_to_take_away(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    approve(place)
    assert qualify(place, "--power-cycle") == 1
    assert "target serve" in capsys.readouterr().err

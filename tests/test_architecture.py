"""The house's rules that a machine holds: who may import what, who may see key bytes, tests that mirror the tree."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "agent" / "tapekey"

# A part may import the parts named here, beside itself and `errors`.
MAY_IMPORT: dict[str, str] = {
    "secret": "",
    "exchange": "secret",
    "config": "policy",
    "wire": "",
    "scsi": "wire exchange secret",
    "iscsi": "wire exchange",
    "kmip": "wire secret",
    "transport": "exchange secret native native_iscsi",
    "keys": "secret native",
    "keystore": "keys policy secret",
    "policy": "",
    "drive": "scsi exchange secret",
    "cartridge": "scsi exchange keys",
    "manager": "keystore keys policy kmip secret",
    "mount": "drive cartridge policy manager keys exchange",
    "backup": "keystore keys secret",
    "peers": "keystore keys secret",
    "migrate": "keystore keys secret",
    "discovery": "",
    "target": "scsi iscsi wire exchange secret",
    "conformance": "scsi exchange secret",
}
COMPOSERS = {"service", "cli", "wiring", "host"}
ONLY_COMPOSERS_IMPORT = {"wiring", "host", "config"}

# The only modules that may call `Secret.reveal()`: transports that carry a key, the virtual drive, what wraps keys,
# what seals the keystore. Adding one is a decision for review.
MAY_REVEAL = {
    "cli.key_file",
    "secret",
    "keys.commitment",
    "keys.envelope",
    "keys.hybrid",
    "keys.identity",
    "keys.identity_file",
    "keys.kek",
    "keys.recipient",
    "keys.signature",
    "keystore.seal",
    "keystore.slots",
    "manager.drive_wrap",
    "scsi.set_encryption",
    "target.cipher",
    "target.drive_set_encryption",
    "target.state",
    "target.wrapping",
    "transport.iscsi",
    "transport.sgio",
    "transport.socket",
}

EXTRA_TESTS = {"stories", "vectors", "device", "kernel", "real", "faults", "crash", "benchmarks", "model"}


def part_of(module: str) -> str:
    return module.split(".")[1] if "." in module else ""


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__")


def imports_of(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {name for name in found if name.split(".")[0] == "tapekey"}


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_imports_point_one_way(path: Path) -> None:
    part = name_of(path).split(".")[0]
    if part in COMPOSERS or part in {"__init__", "__main__"}:
        return
    allowed = set(MAY_IMPORT.get(part, "").split()) | {part, "errors"}
    wrong = {name for name in imports_of(path) if part_of(name) and part_of(name) not in allowed}
    assert not wrong, f"{part} may import {sorted(allowed)}, not {sorted(wrong)}"


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_only_named_modules_see_key_bytes(path: Path) -> None:
    calls = [
        node
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and node.attr == "reveal"
    ]
    assert not calls or name_of(path) in MAY_REVEAL, f"{name_of(path)} reveals secrets at line {calls[0].lineno}"


def test_nobody_is_allowed_more_than_it_uses() -> None:
    used = {name_of(path) for path in modules() if ".reveal()" in path.read_text()}
    assert MAY_REVEAL - {"secret"} <= used


def test_tests_mirror_the_package() -> None:
    strays = []
    for test in (ROOT / "tests").rglob("test_*.py"):
        place = test.relative_to(ROOT / "tests")
        if len(place.parts) == 1 or place.parts[0] in EXTRA_TESTS:
            continue
        mirrored = PACKAGE / place.parent / (place.name.removeprefix("test_"))
        if not mirrored.exists() and not mirrored.with_suffix("").is_dir():
            strays.append(str(place))
    assert not strays, f"no module beside {strays}"


def test_no_banned_names() -> None:
    mechanisms = {"helpers", "common", "base", "core", "misc", "utils", "util"}
    assert not [path for path in modules() if mechanisms & set(path.relative_to(PACKAGE).with_suffix("").parts)]

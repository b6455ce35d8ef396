"""The one-file reader opens envelopes with `cryptography` alone, in an interpreter that has nothing else."""

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.keys.people import KEY, SERIAL, VECTORS, entry
from tests.vectors.envelope_cases import cases

READER = Path(__file__).parents[2] / "docs" / "formats" / "open_envelope.py"
CASES = cases()
FULL = CASES["full: p384 alone"]
BRIEF = CASES["brief: X25519, 92 bytes, no key id"]

# All cases in one interpreter, through the reader's own functions; the program as a whole is tried below.
EVERY_CASE = """
import json, runpy, sys
reader = runpy.run_path(sys.argv[0])
def outcome(text, passphrase, data, serial):
    try:
        key = reader["read_key"](text.encode(), passphrase and passphrase.encode())
        data = bytes.fromhex(data)
        if serial is None:
            key_id, data_key = reader["open_brief"](data, key)
        else:
            key_id, data_key = reader["open_full"](data, key, serial)
    except reader["Failed"] as failed:
        return type(failed).__name__
    return f"{key_id.hex()} {data_key.hex()}"
json.dump([outcome(*case) for case in json.load(sys.stdin)], sys.stdout)
"""


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory for sys.path with cryptography and what it needs to load, and nothing else."""
    place = tmp_path_factory.mktemp("bare")
    for needed in ("cryptography", "cffi", "_cffi_backend"):
        spec = find_spec(needed)
        assert spec is not None
        source = Path(str(spec.origin))
        source = source.parent if source.name == "__init__.py" else source
        (place / source.name).symlink_to(source)
    return place


def python(bare: Path, code: str, *argv: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """Run code with -I -S: no environment, no site-packages, no working directory on the path."""
    prelude = f"import sys; sys.path.append({str(bare)!r}); sys.argv = {list(argv)!r}\n"
    interpreter = os.path.realpath(sys.executable)
    command = [interpreter, "-I", "-S", "-c", prelude + code]
    return subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=120, env={}, check=False)


def program(bare: Path, *argv: str | Path) -> subprocess.CompletedProcess[str]:
    code = "import runpy; runpy.run_path(sys.argv[0], run_name='__main__')"
    return python(bare, code, str(READER), *map(str, argv))


@pytest.fixture
def files(tmp_path: Path) -> Path:
    for name in ("p384", "x25519", "kek", "rsa-3072", "sealed-kek"):
        (tmp_path / name).write_text(entry(name)["private"])
    (tmp_path / "full").write_bytes(FULL.data)
    (tmp_path / "brief").write_text(BRIEF.data.hex() + "\n")
    (tmp_path / "passphrase").write_text(entry("sealed-kek")["passphrase"] + "\n")
    return tmp_path


@pytest.mark.parametrize("module", ["tapekey", "cbor2", "click", "sqlalchemy"])
def test_bare_interpreter_has_nothing_of_ours(bare: Path, module: str) -> None:
    assert f"No module named '{module}'" in python(bare, f"import {module}").stderr
    assert python(bare, "import cryptography").returncode == 0


def test_reader_agrees_with_every_vector(bare: Path) -> None:
    keys = json.loads((VECTORS / "keys.json").read_text())["keys"]
    asked = [
        (keys[case.key]["private"], keys[case.key].get("passphrase"), case.data.hex(), case.serial)
        for case in CASES.values()
    ]
    answer = python(bare, EVERY_CASE, str(READER), stdin=json.dumps(asked))
    assert answer.stderr == ""
    answers = dict(zip(CASES, json.loads(answer.stdout), strict=True))
    assert answers == {name: case.outcome for name, case in CASES.items()}


def test_key_is_written_for_its_owner_only_and_never_over_a_file(bare: Path, files: Path) -> None:
    out = files / "data.key"
    asked = (files / "full", files / "p384", "--serial", SERIAL, "--out", out)
    assert program(bare, *asked).returncode == 0
    assert out.read_bytes() == bytes(KEY.secret.reveal())
    assert out.stat().st_mode & 0o777 == 0o600
    assert program(bare, *asked).returncode == 1


def test_key_is_shown_only_on_demand(bare: Path, files: Path) -> None:
    key = KEY.secret.reveal().hex()
    silent = program(bare, files / "full", files / "p384")
    assert (silent.returncode, silent.stdout) == (0, "")
    assert key not in silent.stderr
    assert str(KEY.id) in silent.stderr
    assert program(bare, files / "full", files / "p384", "--print").stdout == key + "\n"


def test_brief_envelope_in_hex_is_opened(bare: Path, files: Path) -> None:
    assert program(bare, files / "brief", files / "x25519", "--print").stdout == KEY.secret.reveal().hex() + "\n"


def test_sealed_key_file_opens_with_its_passphrase(bare: Path, files: Path) -> None:
    (files / "kad").write_bytes(CASES["brief: group KEK, 66 bytes, with key id"].data)
    asked = (files / "kad", files / "sealed-kek")
    assert program(bare, *asked, "--passphrase-file", files / "passphrase").returncode == 0
    assert program(bare, *asked).returncode == 3


STATUSES = {
    "another key": (("full", "rsa-3072"), 3, "NotThisKey"),
    "another cartridge": (("full", "p384", "--serial", "OTHER"), 4, "EnvelopeRefused"),
    "no envelope": (("p384", "p384"), 5, "Malformed"),
    "no private key": (("full", "full"), 5, "Malformed"),
    "no such file": (("absent", "p384"), 1, "absent"),
    "usage": (("full",), 2, "usage"),
}


@pytest.mark.parametrize(("argv", "status", "word"), STATUSES.values(), ids=STATUSES)
def test_exit_status_says_what_failed(bare: Path, files: Path, argv: tuple[str, ...], status: int, word: str) -> None:
    paths = [str(files / arg) if not arg.startswith("-") and arg != "OTHER" else arg for arg in argv]
    answer = program(bare, *paths)
    assert answer.returncode == status
    assert word in answer.stderr
    assert "Traceback" not in answer.stderr

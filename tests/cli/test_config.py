"""`tapekey config`: defaults that read back, and a check that says everything wrong at once."""

import socket
from pathlib import Path

import pytest

from tapekey import cli, config
from tapekey.cli import config as command
from tapekey.cli import config_check
from tapekey.service import control

ROOT_KEY = bytes(range(32))


def checked(file: Path) -> tuple[int, list[str]]:
    """The status, and what is wrong by the names of settings."""
    found = list(config_check.problems(config.read(file), lambda _remark: None))
    return len(found), found


@pytest.fixture
def good(tmp_path: Path) -> Path:
    """A configuration in which everything is there."""
    (tmp_path / "run").mkdir()
    (tmp_path / "root.key").write_bytes(ROOT_KEY)
    (tmp_path / "root.key").chmod(0o600)
    options = ["--store", str(tmp_path / "ks"), "--key-file", str(tmp_path / "root.key")]
    assert cli.run(["keystore", "init", *options, "--unsafe-single-copy"]) == 0
    assert cli.run(["target", "create", str(tmp_path / "drv"), "--personality", "ibm-lto6", "--serial", "DRIVE1"]) == 0
    file = tmp_path / "t.toml"
    file.write_text(f"""
        store = "{tmp_path}/ks"
        key_file = "{tmp_path}/root.key"
        [agent]
        runtime = "{tmp_path}/run"
        drives = ["virtual:{tmp_path}/drv"]
        discover = false
        alert_command = ["true"]
        metrics_file = "{tmp_path}/run/tapekey.prom"
        askers = ["root"]
    """)
    return file


def test_defaults_read_back_to_the_defaults(tmp_path: Path) -> None:
    defaults = config.Config(config.default_store())
    (tmp_path / "t.toml").write_text("\n".join(command.as_toml(defaults)))
    assert config.read(tmp_path / "t.toml") == defaults


def test_every_value_reads_back(tmp_path: Path) -> None:
    odd = config.Config(
        Path('/a"b\\c'),
        key_file=Path("/k ü"),
        allow_virtual=True,
        agent=config.Agent(
            drives=("virtual:/x\ty",), empty_seconds=0.25, metrics_port=9123, metrics_file=Path("/m.prom")
        ),
    )
    (tmp_path / "t.toml").write_text("\n".join(command.as_toml(odd)))
    assert config.read(tmp_path / "t.toml") == odd


def test_each_setting_of_the_types_is_in_the_tables() -> None:
    assert {*config.SETTINGS, "agent"} == set(config.Config.__dataclass_fields__)
    assert set(config.AGENT_SETTINGS) == set(config.Agent.__dataclass_fields__)


def test_a_good_configuration_has_nothing_wrong(good: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["config", "check", str(good)]) == 0
    assert capsys.readouterr().out.endswith("nothing is wrong\n")


def test_everything_that_is_wrong_is_said_at_once(good: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = good.parent
    (place / "root.key").chmod(0o644)
    (place / "run").chmod(0o777)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen(1)
        port = taken.getsockname()[1]
        text = (
            good.read_text().replace(f"virtual:{place}/drv", "virtual:/no/drive").replace('["true"]', '["/no/program"]')
        )
        text = text.replace(f"{place}/run/tapekey.prom", "/no/dir/t.prom").replace('["root"]', '["nobody-at-all"]')
        good.write_text(f"{text}\nmetrics_port = {port}\n")
        assert cli.run(["config", "check", str(good)]) == 97
    said = capsys.readouterr().out
    wrong = [line.split(": ")[1] for line in said.splitlines() if line.startswith("wrong: ")]
    assert {
        "key_file",
        "agent.runtime",
        "agent.drives",
        "agent.alert_command",
        "agent.metrics_file",
        "agent.metrics_port",
        "agent.askers",
    } <= set(wrong)


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (lambda place: (place / "root.key").write_bytes(bytes(32)), "store: "),
        (lambda place: (place / "ks" / "keystore.db").unlink(), "store: no keystore"),
        (lambda place: (place / "root.key").unlink(), "key_file: "),
        (lambda place: (place / "run").rmdir(), "agent.runtime: "),
    ],
)
def test_what_is_wrong_is_named(good: Path, harm: object, said: str) -> None:
    assert callable(harm)
    harm(good.parent)
    number, found = checked(good)
    assert number >= 1
    assert any(line.startswith(said) for line in found)


def test_a_store_without_anything_to_open_it_is_a_note(good: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    good.write_text("\n".join(line for line in good.read_text().splitlines() if "key_file" not in line))
    notes: list[str] = []
    assert list(config_check.problems(config.read(good), notes.append)) == []
    assert any("was not opened" in note for note in notes)


def test_a_port_that_the_agent_itself_has_is_a_note(good: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen(1)
        good.write_text(f"{good.read_text()}\nmetrics_port = {taken.getsockname()[1]}\n")
        notes: list[str] = []
        with control.serving(config.read(good).agent.socket, {"status": lambda _caller, _arguments: {}}):
            assert list(config_check.problems(config.read(good), notes.append)) == []
    assert any("by the agent that runs" in note for note in notes)

from pathlib import Path

import pytest

from tapekey import config
from tapekey.errors import Malformed


def test_absent_file_is_all_defaults(tmp_path: Path) -> None:
    assert config.read(tmp_path / "none.toml") == config.Config(config.default_store())


def test_settings_replace_defaults(tmp_path: Path) -> None:
    file = tmp_path / "tapekey.toml"
    file.write_text(
        'store = "/srv/keys"\nallow_virtual = true\nallow_clear_key = "iscsi"\n'
        'iscsi_chap_file = "/etc/tapekey/chap"\niscsi_initiator_name = "iqn.2026-11.example:h"\n'
    )
    assert config.read(file) == config.Config(
        Path("/srv/keys"),
        allow_virtual=True,
        allow_clear_key="iscsi",
        iscsi_chap_file=Path("/etc/tapekey/chap"),
        iscsi_initiator_name="iqn.2026-11.example:h",
    )


MISTAKES = (
    "stroe = 1",
    "store = 1",
    'allow_virtual = "yes"',
    "allow_clear_key = true",
    'allow_clear_key = "fc"',
    "iscsi_chap_file = 7",
    "store = ",
)


@pytest.mark.parametrize("content", MISTAKES)
def test_a_mistake_in_the_file_is_named_not_ignored(tmp_path: Path, content: str) -> None:
    file = tmp_path / "tapekey.toml"
    file.write_text(content)
    with pytest.raises(Malformed, match="tapekey.toml"):
        config.read(file)


def test_a_users_store_is_in_the_state_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert config.default_store({"HOME": "/home/a"}) == Path("/home/a/.local/state/tapekey")
    assert config.default_store({"HOME": "/home/a", "XDG_STATE_HOME": "/x"}) == Path("/x/tapekey")


def test_the_agents_table_replaces_its_defaults(tmp_path: Path) -> None:
    file = tmp_path / "tapekey.toml"
    file.write_text(
        'key_file = "/k"\npassphrase_file = ""\n[agent]\nruntime = "/srv/run"\ndrives = ["virtual:/d"]\n'
        'empty_seconds = 1\nmetrics_port = 9123\nalert_command = ["mail", "root"]\naskers = ["bacula"]\n'
    )
    found = config.read(file)
    assert (found.key_file, found.passphrase_file) == (Path("/k"), None)
    assert found.agent == config.Agent(
        runtime=Path("/srv/run"),
        drives=("virtual:/d",),
        empty_seconds=1.0,
        metrics_port=9123,
        alert_command=("mail", "root"),
        askers=("bacula",),
    )
    assert found.agent.socket == Path("/srv/run/agent.sock")


AGENT_MISTAKES = (
    "runtim = 1",
    'runtime = ""',
    "drives = 1",
    "drives = [1]",
    'drives = [""]',
    "discover = 1",
    "empty_seconds = 0",
    "empty_seconds = true",
    'empty_seconds = "5"',
    "empty_seconds = nan",
    "library_seconds = 9.9",
    "quiet_seconds = 61",
    "metrics_port = 80",
    "metrics_port = 65536",
    "metrics_port = 9123.0",
    'metrics_file = "/m.txt"',
    'alert_command = "mail root"',
    'askers = ["a", 1]',
)


@pytest.mark.parametrize("line", AGENT_MISTAKES)
def test_a_mistake_in_the_agents_table_is_named(tmp_path: Path, line: str) -> None:
    file = tmp_path / "tapekey.toml"
    file.write_text(f"[agent]\n{line}\n")
    with pytest.raises(Malformed, match=f"agent.{line.split()[0]}"):
        config.read(file)


def test_all_mistakes_are_said_at_once(tmp_path: Path) -> None:
    file = tmp_path / "tapekey.toml"
    file.write_text("store = 1\n[agent]\ngate = 1\nmetrics_port = 1\n")
    with pytest.raises(Malformed, match=r"store .*agent.gate .*agent.metrics_port"):
        config.read(file)


def test_another_file_can_be_named_by_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine.toml").write_text('store = "/mine"\n')
    monkeypatch.setenv(config.FILE_VARIABLE, str(tmp_path / "mine.toml"))
    assert config.read().store == Path("/mine")

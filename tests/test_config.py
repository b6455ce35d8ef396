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

from pathlib import Path

import pytest

from tapekey import config
from tapekey.errors import Malformed


def test_absent_file_is_all_defaults(tmp_path: Path) -> None:
    assert config.read(tmp_path / "none.toml") == config.Config(config.default_store())


def test_settings_replace_defaults(tmp_path: Path) -> None:
    file = tmp_path / "tapekey.toml"
    file.write_text('store = "/srv/keys"\nallow_virtual = true\n')
    assert config.read(file) == config.Config(Path("/srv/keys"), allow_virtual=True)


@pytest.mark.parametrize("content", ["stroe = 1", "store = 1", 'allow_virtual = "yes"', "store = "])
def test_a_mistake_in_the_file_is_named_not_ignored(tmp_path: Path, content: str) -> None:
    file = tmp_path / "tapekey.toml"
    file.write_text(content)
    with pytest.raises(Malformed, match="tapekey.toml"):
        config.read(file)


def test_a_users_store_is_in_the_state_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert config.default_store({"HOME": "/home/a"}) == Path("/home/a/.local/state/tapekey")
    assert config.default_store({"HOME": "/home/a", "XDG_STATE_HOME": "/x"}) == Path("/x/tapekey")

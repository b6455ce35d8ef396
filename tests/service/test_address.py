from pathlib import Path

import pytest

from tapekey import config
from tapekey.errors import Malformed
from tapekey.service import address


def test_its_names_are_the_configurations() -> None:
    assert Path(address.FILE) == config.SYSTEM_FILE
    assert config.FILE_VARIABLE == address.FILE_VARIABLE
    assert config.Agent().socket == Path(address.RUNTIME) / address.SOCKET


FILES = ("", "[agent]\n", '[agent]\nruntime = "/srv/run"\n', 'store = "/ks"\n')


@pytest.mark.parametrize("content", FILES)
def test_it_finds_what_the_configuration_finds(content: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "t.toml"
    file.write_text(content)
    monkeypatch.setenv(config.FILE_VARIABLE, str(file))
    assert Path(address.socket()) == config.read().agent.socket


def test_an_absent_file_is_the_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(config.FILE_VARIABLE, str(tmp_path / "none"))
    assert Path(address.socket()) == config.Agent().socket


@pytest.mark.parametrize("content", ["agent = 1", "[agent]\nruntime = 1", "x ="])
def test_a_mistake_is_malformed(content: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "t.toml"
    file.write_text(content)
    monkeypatch.setenv(config.FILE_VARIABLE, str(file))
    with pytest.raises(Malformed, match="cannot read"):
        address.socket()

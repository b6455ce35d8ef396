"""Shared options become one value, and what the configuration says stands in for what was not typed."""

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from tapekey import config
from tapekey.cli import options
from tapekey.wiring import Access


@click.command()
@options.store_options
def asked(access: Access) -> None:
    click.echo(f"{access.store} {access.passphrase_file} {access.key_file}")


def configured(monkeypatch: pytest.MonkeyPatch, settings: config.Config) -> None:
    monkeypatch.setattr(config, "read", lambda: settings)


def test_store_options_are_one_value() -> None:
    done = CliRunner().invoke(asked, ["--store", "ks", "--passphrase-file", "-", "--key-file", "k"])
    assert done.output == "ks - k\n"


def test_store_of_the_configuration_stands_in(monkeypatch: pytest.MonkeyPatch) -> None:
    configured(monkeypatch, config.Config(Path("/configured")))
    assert CliRunner().invoke(asked, []).output == "/configured None None\n"


@pytest.mark.parametrize(("typed", "setting"), [(True, False), (False, True), (True, True), (False, False)])
def test_virtual_drives_are_allowed_by_option_or_setting(
    typed: bool, setting: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    configured(monkeypatch, config.Config(Path("ks"), allow_virtual=setting))
    assert options.virtual_allowed(typed) is (typed or setting)


def test_actor_is_the_login_behind_sudo(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SUDO_USER", raising=False)
    plain = options.actor()
    monkeypatch.setenv("SUDO_USER", "ada")
    assert options.actor() == f"ada as {plain}"


def test_actor_without_a_name_is_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SUDO_USER", raising=False)
    monkeypatch.setattr("os.getuid", lambda: 4_000_000_000)
    assert options.actor() == "4000000000"

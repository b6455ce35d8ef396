"""Shared options become one value, and what the configuration says stands in for what was not typed."""

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from tapekey import config
from tapekey.cli import options
from tapekey.discovery.attachment import Link
from tapekey.discovery.sysfs import Kind, Node
from tapekey.mount.options import Way
from tapekey.wiring import Access

HERE_BY_ISCSI, IN_CLEAR = Way(network=True), Way(network=True, clear_key=True)


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


WAYS = {
    "nothing said": (None, "", HERE_BY_ISCSI),
    "said": ("iscsi", "", IN_CLEAR),
    "configured": (None, "iscsi", IN_CLEAR),
}


@pytest.mark.parametrize(("typed", "setting", "way"), WAYS.values(), ids=WAYS)
def test_a_key_goes_over_the_network_in_clear_only_when_that_is_said(
    typed: str | None, setting: str, way: Way, monkeypatch: pytest.MonkeyPatch
) -> None:
    configured(monkeypatch, config.Config(Path("ks"), allow_clear_key=setting))
    assert options.way("iscsi://host/iqn.2026-11.example:t/1", typed) == way


def test_a_drive_in_this_host_is_on_no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    configured(monkeypatch, config.Config(Path("ks")))
    assert not options.way("virtual:drive", None).network


def test_a_node_of_the_kernels_iscsi_is_on_the_network_too(monkeypatch: pytest.MonkeyPatch) -> None:
    configured(monkeypatch, config.Config(Path("ks")))
    monkeypatch.setattr("tapekey.discovery.resolve.resolve", lambda _: Node("sg3", Kind.DRIVE, "", link=Link.ISCSI))
    assert options.way("/dev/sg3", None).exposes


def test_actor_is_the_login_behind_sudo(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SUDO_USER", raising=False)
    plain = options.actor()
    monkeypatch.setenv("SUDO_USER", "ada")
    assert options.actor() == f"ada as {plain}"


def test_actor_without_a_name_is_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SUDO_USER", raising=False)
    monkeypatch.setattr("os.getuid", lambda: 4_000_000_000)
    assert options.actor() == "4000000000"

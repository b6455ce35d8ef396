"""The rules that tapekey ships, on the distribution's own udev: names for sg nodes, and the private group."""

import grp
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tapekey.discovery.sysfs import Node
from tapekey.errors import OpcodeUnknown, TransportFailed
from tapekey.scsi import encryption
from tapekey.scsi.encryption import InPage
from tapekey.scsi.run import run
from tapekey.transport import sgio
from tests.kernel.cases import simulated
from tests.kernel.cases.test_permissions import as_nobody

RULES = Path("/run/udev/rules.d")
NAMES, PRIVATE, SWITCHED_OFF = "61-tapekey.rules", "72-tapekey-private.rules", "50-no-links.rules"
GROUP = "tapekey"


@pytest.fixture
def put() -> Iterator["Put"]:
    RULES.mkdir(parents=True, exist_ok=True)
    rules = Put()
    yield rules
    for file in RULES.iterdir():
        file.unlink()
    rules.reload()


class Put:
    """Puts rules where udev looks, by the names under which they are shipped."""

    def __call__(self, *names: str) -> None:
        for name in names:
            shutil.copy(Path("udev") / name, RULES / name)
        self.reload()

    def reload(self) -> None:
        subprocess.run(["udevadm", "control", "--reload"], check=True)


@pytest.fixture
def group() -> None:
    try:
        grp.getgrnam(GROUP)
    except KeyError:
        subprocess.run(["groupadd", "--system", GROUP], check=True)


def links(node: Node) -> set[str]:
    """The names below /dev/tape that lead to the sg node."""
    found = Path("/dev/tape").glob("by-*/*")
    return {str(link) for link in found if os.path.realpath(link) == node.path}


def test_sg_node_has_a_lasting_name_of_its_own(put: Put) -> None:
    put(NAMES)
    for node in simulated.load(2):
        names = links(node)
        serial = node.serial_page[4:].decode().strip()
        assert f"/dev/tape/by-id/scsi-{serial}-sg" in names
        assert all(name.endswith("-sg") for name in names)


def test_names_are_left_out_where_persistent_names_are_switched_off(put: Put) -> None:
    RULES.joinpath(SWITCHED_OFF).write_text('ENV{UDEV_DISABLE_PERSISTENT_STORAGE_RULES_FLAG}="1"\n')
    put(NAMES)
    (node,) = simulated.load()
    assert not links(node)


def test_names_go_with_the_drive(put: Put) -> None:
    put(NAMES)
    simulated.load()
    assert list(Path("/dev/tape").glob("by-id/*-sg"))
    simulated.unload()
    assert not list(Path("/dev/tape").glob("by-id/*-sg"))


def test_private_group_shuts_group_tape_out_of_the_drives_sg_node_only(put: Put, group: None) -> None:
    put(NAMES, PRIVATE)
    (node,) = simulated.load()
    with as_nobody("tape"), pytest.raises(TransportFailed), sgio.open_device(node.path):
        pass
    with as_nobody("tape"):
        os.close(os.open(f"/dev/{node.nst}", os.O_RDONLY | os.O_NONBLOCK))


def test_private_group_may_set_keys(put: Put, group: None) -> None:
    put(PRIVATE)
    (node,) = simulated.load()
    with as_nobody(GROUP), simulated.opened(node) as (device,), pytest.raises(OpcodeUnknown):
        run(device, encryption.read_page(InPage.STATUS))


def test_node_stays_with_group_tape_unless_the_private_rule_is_put_in(put: Put) -> None:
    put(NAMES)
    (node,) = simulated.load()
    owner = os.stat(node.path)
    assert (grp.getgrgid(owner.st_gid).gr_name, owner.st_mode & 0o777) == ("tape", 0o660)

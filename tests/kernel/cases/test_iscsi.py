"""Debian's tgt tape on the host, over the guest's iSCSI initiator: found, judged, and left in peace."""

import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tapekey import host
from tapekey.discovery import sysfs
from tapekey.discovery.attachment import Link
from tapekey.discovery.sysfs import Node
from tapekey.drive import abilities, identity
from tapekey.drive.abilities import Management
from tests.kernel.cases import initiator, simulated

GATEWAY = "10.0.2.2"  # the host's loopback, as the guest sees it


@pytest.fixture(scope="module")
def tape(request: pytest.FixtureRequest) -> Iterator[Node]:
    """The target's tape. The record of it is made by hand: discovery would name the host's own address."""
    simulated.unload()
    port, _, name = request.config.getoption("--tape-target").partition("/")
    portal = f"{GATEWAY}:{port}"
    initiator.start()
    node = ("iscsiadm", "-m", "node", "-T", name, "-p", portal)
    subprocess.run([*node, "-o", "new"], check=True)
    subprocess.run([*node, "--login"], check=True)
    simulated.await_(simulated.complete, "the tape")
    subprocess.run(["udevadm", "settle"], check=True)
    yield simulated.complete()[0]
    subprocess.run([*node, "--logout"], check=True)
    simulated.await_(lambda: not sysfs.scan(), "the tape to go")


def test_tape_of_another_host_is_told_apart(tape: Node, request: pytest.FixtureRequest) -> None:
    assert tape.link is Link.ISCSI
    assert tape.port == request.config.getoption("--tape-target").partition("/")[2]
    (drive,) = host.drives()
    assert "iscsi" in drive.objection


def test_tape_of_another_host_is_judged_to_have_no_encryption(tape: Node) -> None:
    with simulated.opened(tape) as (device,):
        who = identity.identify(device)
        found = abilities.abilities(device)
    assert who.serial
    assert found.management is Management.NONE
    assert "5/20/00" in found.why


def test_tar_through_the_drive_is_undisturbed_while_we_look(tape: Node, tmp_path: Path) -> None:
    content = b"".join(number.to_bytes(4, "big") * 256 for number in range(2048))
    (tmp_path / "content").write_bytes(content)
    rewinding = f"/dev/{tape.st}"
    ended, looks = threading.Event(), 0

    def look() -> None:
        nonlocal looks
        while not ended.is_set():
            (drive,) = host.drives()
            assert drive.sightings[0].who
            looks += 1

    looking = threading.Thread(target=look)
    looking.start()
    try:
        tar = ("tar", "--blocking-factor=20", "-f", rewinding)
        subprocess.run([*tar, "-c", "-C", str(tmp_path), "content"], check=True)
        subprocess.run([*tar, "--compare", "-C", str(tmp_path)], check=True)
    finally:
        ended.set()
        looking.join()
    assert looks > 1

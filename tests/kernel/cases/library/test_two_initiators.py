"""Another initiator at the same drive: what it changes is told here, and stops what was going to be written."""

import os
from collections.abc import Iterator

import pytest

from tapekey.exchange import Command
from tapekey.transport import sgio
from tests.kernel.cases import simulated, st_node
from tests.kernel.cases.library import bench
from tests.kernel.cases.library.bench import Bench, tape

# SECURITY PROTOCOL OUT 20h, Set Data Encryption (0010h): all I_T nexus, both modes DISABLE, no key; index 3, which is
# IBM's for AES-256-GCM on LTO-8 (reference 3.2)
TURN_OFF = Command(
    bytes.fromhex("b52000100000000000140000"),
    bytes.fromhex("0010 0010 40 00 00 00 03 00 00 00000000000000 0000"),
)
CONTENT = os.urandom(65536)


@pytest.fixture
def keyed(library: Bench) -> Iterator[Bench]:
    with library.loaded(11):
        bench.save(library.drives[0])
        yield library


def test_change_of_the_key_by_another_initiator_is_told_and_stops_writing(keyed: Bench, second: Bench) -> None:
    ours, theirs = keyed.drives[0], second.drives[0]
    bench.attentions(ours)
    with sgio.open_device(theirs.path) as stranger:
        simulated.calm(stranger)
        assert stranger.execute(TURN_OFF).status == 0
    assert bench.attentions(ours) == ["6/2A/11"]
    with st_node.opened(tape(ours), in_trouble=True) as node:
        assert node.do("rewind") == "ok"
        assert node.attempt(CONTENT) != "ok"
    assert not bench.on_medium("ENC011L8", CONTENT)


def test_drive_of_two_sessions_is_one_drive(library: Bench, second: Bench) -> None:
    assert [node.serial_page for node in library.drives] == [node.serial_page for node in second.drives]

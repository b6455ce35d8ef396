"""Who takes the unit attention of a new cartridge from `st`, and what `st` believes then.

Since 6.15 the kernel counts attentions of a device whoever's command was told it; what REQUEST SENSE brings is data,
and not counted. Our own commands let `st` look first.
"""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import pytest

from tapekey import cli
from tapekey.exchange import Command
from tapekey.scsi import media
from tapekey.transport import sgio, tape_driver
from tests.kernel.cases import simulated, st_node
from tests.kernel.cases.library import bench
from tests.kernel.cases.library.bench import KEYSTORE, MEANT, Bench, tape
from tests.kernel.cases.st_node import Place

COUNTS = simulated.RELEASE >= (6, 15)
FRESH, STALE = Place(0, 0, "BOT"), Place(2, 0, "EOF")
REQUEST_SENSE = Command(bytes.fromhex("03000000fc00"), data_in_max=252)
THIEVES = {
    "TEST UNIT READY": (media.test_unit_ready(), FRESH if COUNTS else STALE),
    "REQUEST SENSE": (REQUEST_SENSE, STALE),
}
FLOWS = {
    "drive show": (),
    "cartridge show": (),
    "save": (*MEANT, *KEYSTORE),
    "drive status": KEYSTORE,
}


@contextmanager
def exchanged(library: Bench, slowly: float = 0.0) -> Iterator[str]:
    """A drive whose cartridge `st` knew two files deep, with another one in it that `st` has not heard of."""
    node = tape(library.drives[0])
    with library.loaded(12), st_node.opened(node) as deep:
        assert [deep.do(line) for line in ("rewind", "fsf 2")] == ["ok", "ok"]
        assert deep.place() == STALE
    with library.turned(f"load_time={slowly}") if slowly else nullcontext(), library.loaded(13):
        yield node


def place(node: str) -> Place:
    with st_node.opened(node, reading=True) as opened:
        return opened.place()


@pytest.fixture(scope="module", autouse=True)
def _two_files(library: Bench) -> None:
    with library.loaded(12):
        bench.save(library.drives[0])
        with st_node.opened(tape(library.drives[0])) as written:
            written.do("weof 2")


def test_driver_that_looks_first_counts_from_the_beginning(library: Bench) -> None:
    with exchanged(library) as node:
        assert place(node) == FRESH


@pytest.mark.parametrize(("command", "believed"), THIEVES.values(), ids=THIEVES)
def test_driver_that_is_robbed_counts_on_from_the_cartridge_before(
    library: Bench, command: Command, believed: Place
) -> None:
    with exchanged(library) as node:
        with sgio.open_device(library.drives[0].path) as thief:
            thief.execute(command)
        assert place(node) == believed


@pytest.mark.parametrize("flow", FLOWS)
def test_our_commands_rob_nobody(library: Bench, flow: str) -> None:
    with exchanged(library) as node:
        assert cli.run([*flow.split(), library.drives[0].path, *FLOWS[flow]]) == 0
        assert place(node) == FRESH


def test_cartridge_that_takes_its_time_is_noticed_when_it_is_ready(library: Bench) -> None:
    """The drive is asked for seconds before the attention comes, and the driver is still who is told."""
    with exchanged(library, slowly=6.0) as node:
        assert cli.run(["save", library.drives[0].path, *FLOWS["save"]]) == 0
        assert place(node) == FRESH


def test_without_the_drivers_look_our_commands_would_rob_it(library: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tape_driver, "considerate", lambda device, path: nullcontext(device))
    with exchanged(library) as node:
        assert cli.run(["drive", "show", library.drives[0].path]) == 0
        assert place(node) == (FRESH if COUNTS else STALE)

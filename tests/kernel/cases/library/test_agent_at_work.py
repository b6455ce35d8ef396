"""The agent at work, as backup software has it: `st` knows each cartridge, and a disturbed job stops and is told of.

Disturbed by a reset by another initiator or by this host, the target killed and started again, and another initiator's
SECURITY PROTOCOL OUT that takes the key away or sets another.
"""

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Final

import pytest

from tapekey.exchange import Command
from tapekey.transport import sgio
from tests.kernel.cases import simulated, st_node
from tests.kernel.cases.library import agent, backup, bench
from tests.kernel.cases.library.agent import Agent
from tests.kernel.cases.library.backup import AFTERWARDS, SAVED
from tests.kernel.cases.library.bench import Bench, Recorder, tape
from tests.kernel.cases.st_node import Place, StNode

# SECURITY PROTOCOL OUT 20h, Set Data Encryption (0010h), for all I_T nexus, algorithm 3 (reference 3.2)
TURN_OFF: Final = Command(
    bytes.fromhex("b52000100000000000140000"),
    bytes.fromhex("0010 0010 40 00 00 00 03 00 00 00000000000000 0000"),
)
ANOTHER_KEY: Final = Command(
    bytes.fromhex("b52000100000000000340000"),
    bytes.fromhex("0010 0030 40 00 02 02 03 00 00 00000000000000 0020") + os.urandom(32),
)
WRITABLE: Final = "ready to write"
SLOTS: Final = (16, 17)
CHANGES: Final = 4


@pytest.fixture(scope="module")
def watching(library: Bench, second: Bench) -> Iterator[Agent]:
    """Encryption is demanded in this drive, whatever cartridge comes: so it rests closed."""
    rest = ("--drive", library.drives[0].serial_page[4:].decode().strip())
    bench.tapekey("rule", "add", *rest, "--require")
    with agent.running() as running:
        yield running
    spout(library, second, TURN_OFF)  # a key that is not ours stays in the empty drive, and the drive open, otherwise
    bench.tapekey("rule", "remove", *rest)


def spout(library: Bench, second: Bench, command: Command) -> None:
    with sgio.open_device(second.drives[0].path) as stranger:
        simulated.calm(stranger)
        assert stranger.execute(command).status == 0


def kill_and_start(library: Bench, second: Bench) -> None:
    assert library.ask("kill") == "killed"
    assert library.ask("start") == "started"
    bench.await_session(library.drives[0])
    bench.await_session(second.drives[0])


Disturbance = Callable[[Bench, Bench], object]
RESET: Final = ("reset", "no parameters stand")  # by the kernel's event, or by a look after the job, if that is first
CHANGED: Final = ("parameters stand", "2A/1")
# What is done, to which cartridge, and the causes of which the alarm gives one. No other case has these cartridges:
# `st` writes a filemark at the beginning of the tape when a node is closed after a reset.
# fmt: off
DISTURBED: Final[dict[str, tuple[Disturbance, int, tuple[str, ...]]]] = {
    "reset by another initiator":   (lambda library, second: backup.reset_by(second)(),           18, RESET),
    "reset by this host":           (lambda library, second: backup.reset_by(library)(),          19, RESET),
    "target killed and started":    (kill_and_start,                                              20, RESET),
    "key taken away by another":    (lambda library, second: spout(library, second, TURN_OFF),    21, CHANGED),
    "another key set by another":   (lambda library, second: spout(library, second, ANOTHER_KEY), 22, CHANGED),
}
# fmt: on


def test_driver_sees_every_cartridge_that_the_agent_makes_ready(
    library: Bench, watching: Agent, record_property: Recorder
) -> None:
    drive = library.drives[0]
    for change in range(CHANGES):
        watching.await_drive(drive, at_rest, "an empty drive at rest")
        with library.loaded(SLOTS[change % 2]):
            watching.await_state(drive, WRITABLE)
            with let_in(tape(drive)) as node:
                assert node.place() == Place(0, 0, "BOT"), change
                assert [node.do(line) for line in ("write 65536", "weof 2", "rewind", "fsf 2")] == [
                    "65536",
                    *["ok"] * 3,
                ]
                assert node.place().file == 2
    record_property("changes", CHANGES)


@pytest.mark.parametrize(("disturb", "slot", "causes"), DISTURBED.values(), ids=DISTURBED)
def test_job_that_is_disturbed_stops_and_the_alarm_says_why(
    library: Bench,
    second: Bench,
    watching: Agent,
    disturb: Disturbance,
    slot: int,
    causes: tuple[str, ...],
    record_property: Recorder,
) -> None:
    barcode, drive = f"ENC{slot:03}L8", library.drives[0]
    watching.await_drive(drive, at_rest, "an empty drive at rest")
    with library.loaded(slot):
        view = watching.await_state(drive, WRITABLE)
        assert "drive" in view["guards"]
        with let_in(tape(drive)) as node:
            writer = backup.disturbed(node, lambda: disturb(library, second))
            assert writer.failed == errno.EIO
            node.attempt(AFTERWARDS)
            node.attempt(AFTERWARDS)
        words = (view["serial"], barcode)
        watching.await_drive(drive, lambda _: named(watching, words, causes), "an alarm", 60.0)
    assert not bench.on_medium(barcode, AFTERWARDS)
    assert not bench.on_medium(barcode, SAVED)
    record_property("alarm", named(watching, words, causes))


@contextmanager
def let_in(node: str) -> Iterator[StNode]:
    """Open it as backup software does: who finds it held tries again."""
    with ExitStack() as stack:
        found: list[StNode] = []

        def opened() -> bool:
            try:
                found.append(stack.enter_context(st_node.opened(node, in_trouble=True)))
            except OSError as error:
                if error.errno != errno.EBUSY:
                    raise
            return bool(found)

        simulated.await_(opened, "the node to be let go")
        yield found[0]


def at_rest(view: dict[str, Any]) -> bool:
    return view.get("state") == "empty" and "drive" in view["guards"]


def named(watching: Agent, words: tuple[str, ...], causes: tuple[str, ...]) -> str:
    """The alarm that names drive, cartridge and one of the causes, if there is one."""
    for alarm in watching.view().get("alarms", ()):
        if all(word in alarm for word in words) and any(cause in alarm for cause in causes):
            return str(alarm)
    return ""

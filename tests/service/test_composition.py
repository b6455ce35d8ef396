"""The whole agent with many drives: what one of them does to the others, what it costs idle, and how it ends."""

import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tapekey import config
from tapekey.errors import Conflict
from tapekey.keystore import database
from tapekey.service import agent as main_loop
from tapekey.service import asking, composition, stopwatch, ways
from tapekey.service.agent import Agent
from tapekey.service.view import State
from tests.service.crew import QUICK, until
from tests.service.fleet import Fleet, after, failing, fleet, relay

SOAK = bool(os.environ.get("TAPEKEY_SOAK"))
DRIVES = 64 if SOAK else 8
SLOW = 30.0
IDLE, WATCHED = 16, 60.0 if SOAK else 2.0
MOST_OF_A_CORE = 0.01 if SOAK else 0.05  # in so short a time a few ticks of the clock decide
MOST_MEMORY = 120.0  # MB


@contextmanager
def serving(made: Fleet, *names: str) -> Iterator[Agent]:
    with composition.running(made.settings(*names), made.manager, QUICK) as running:
        yield running


def states(running: Agent, *names: str) -> set[State]:
    return {view.state for view in running.drives.views() if view.serial in names}


def served(made: Fleet, running: Agent, names: tuple[str, ...]) -> list[float]:
    """Put all cartridges in at once; the seconds until each drive is ready."""
    took: dict[str, float] = {}
    for name in names:
        made.panel(name, "insert")
    began = time.monotonic()

    def ready() -> bool:
        for view in running.drives.views():
            if view.state is State.READY_TO_WRITE and view.serial in names:
                took.setdefault(view.serial, time.monotonic() - began)
        return len(took) == len(names)

    until(ready, lambda: str([(view.serial, view.state, view.why) for view in running.drives.views()]), 120.0)
    return list(took.values())


def emptied(made: Fleet, running: Agent, names: tuple[str, ...]) -> None:
    for name in names:
        made.panel(name, "eject")
    until(lambda: states(running, *names) == {State.EMPTY}, seconds=120.0)


def test_a_stuck_drive_and_a_failing_one_hold_up_nobody(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    with fleet(tmp_path, DRIVES) as made, serving(made, *made.names[2:]) as running:
        good, slow, bad = made.names[2:], made.names[0], made.names[1]
        until(lambda: states(running, *good) == {State.EMPTY}, seconds=120.0)
        alone = served(made, running, good)
        emptied(made, running, good)
        with (
            relay(tmp_path / slow, tmp_path / "slow", after(SLOW)),
            relay(tmp_path / bad, tmp_path / "bad", failing(3)),
        ):
            beside = made.settings()
            running.drives.serve(ways.of_uri(f"virtual:{tmp_path / place}", beside) for place in ("slow", "bad"))
            until(lambda: dict(running.alarms.counts())["errors"] > 0)
            together = served(made, running, good)
            ends = time.monotonic()
    ended = time.monotonic() - ends
    record_property(
        "told",
        f"{len(good)} drives ready after {statistics.median(alone):.2f} s (the last {max(alone):.2f} s); beside one "
        f"that answers after {SLOW:g} s and one that fails every third command "
        f"{statistics.median(together):.2f} s ({max(together):.2f} s); the agent ended in {ended:.1f} s",
    )
    assert max(together) < 2 * max(alone) + 1.0
    assert max(together) < SLOW
    assert ended < composition.STOPPING + 5.0


def process(made: Fleet, *names: str) -> "subprocess.Popen[str]":
    file = made.directory / "tapekey.toml"
    drives = ", ".join(f'"{made.uri(name)}"' for name in names)
    file.write_text(
        f'store = "{made.directory / "store"}"\nkey_file = "{made.directory / "key-file"}"\nallow_virtual = true\n'
        f'[agent]\nruntime = "{made.directory / "run"}"\ndrives = [{drives}]\ndiscover = false\n'
    )
    environment = os.environ | {config.FILE_VARIABLE: str(file)}
    return subprocess.Popen([sys.executable, "-m", "tapekey", "agent", "run"], env=environment, text=True)


def told(made: Fleet) -> list[str]:
    """The states that the agent tells; none while it does not answer yet."""
    try:
        view = asking.ask(made.directory / "run" / "agent.sock", "status")
    except Exception as error:  # noqa: BLE001 - it is not there yet
        return [str(error)]
    drives = view["drives"]
    assert isinstance(drives, list)
    return [drive["state"] for drive in drives]


def rested(made: Fleet) -> int:
    """How many drives are at rest: their guards are known."""
    if len(told(made)) < IDLE:
        return 0
    drives = asking.ask(made.directory / "run" / "agent.sock", "status")["drives"]
    assert isinstance(drives, list)
    return sum(bool(drive["guards"]) for drive in drives)


def test_idle_drives_cost_next_to_nothing(tmp_path: Path, record_property: Callable[[str, object], None]) -> None:
    with fleet(tmp_path, IDLE) as made, process(made, *made.names) as running:
        try:
            until(lambda: rested(made) == IDLE, lambda: str(told(made)), 60.0)
            before = cpu(running.pid)
            time.sleep(WATCHED)
            share = (cpu(running.pid) - before) / WATCHED
            memory = resident(running.pid)
        finally:
            running.terminate()
            status = running.wait(20.0)
    record_property(
        "told", f"{IDLE} idle drives for {WATCHED:g} s: {100 * share:.2f} % of a core, {memory:.0f} MB resident"
    )
    assert status == 0
    assert share < MOST_OF_A_CORE
    assert memory < MOST_MEMORY


def cpu(pid: int) -> float:
    """Seconds of a process's user and system time (proc(5))."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident(pid: int) -> float:
    line = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def test_a_killed_agent_leaves_the_key_and_its_successor_takes_the_mount_over(tmp_path: Path) -> None:
    with fleet(tmp_path, 1) as made:
        with process(made, "D0") as first:
            until(lambda: told(made) == ["empty"], lambda: str(told(made)), 60.0)
            made.panel("D0", "insert")
            until(lambda: told(made) == ["ready to write"], lambda: str(told(made)), 60.0)
            first.send_signal(signal.SIGKILL)
            first.wait(20.0)
        with serving(made, "D0") as running:
            until(lambda: states(running, "D0") == {State.READY_TO_WRITE})
            assert dict(running.alarms.counts())["adopted"] == 1
            assert running.drives.views()[0].generation == 1


def test_two_agents_are_one_too_many(tmp_path: Path) -> None:
    with fleet(tmp_path, 1) as made, serving(made), pytest.raises(Conflict), serving(made, "D0"):
        pass


def test_the_main_loop_ends_when_it_is_told(tmp_path: Path) -> None:
    with fleet(tmp_path, 1) as made, serving(made, "D0") as running:
        running.stop()
        main_loop.run(running, {})
        assert asking.ask(made.settings().agent.socket, "status")["pid"] == os.getpid()


def test_the_agent_waits_longer_for_the_keystore_than_a_command_does(tmp_path: Path) -> None:
    with fleet(tmp_path, 0) as made, serving(made), made.manager.store.engine.connect() as connection:
        waits = connection.exec_driver_sql("PRAGMA busy_timeout").scalar()
    assert waits == 1000 * stopwatch.FILE_PATIENCE > 1000 * database.BUSY_SECONDS

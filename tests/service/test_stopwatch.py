"""Where a mount's time goes: each second is counted once."""

import threading
from pathlib import Path

import pytest

from tapekey.errors import StoreFailed
from tapekey.scsi import media
from tapekey.service import stopwatch
from tapekey.service.stopwatch import Stopwatch, TimedTransport, timed
from tests.rig import Clock, rig


def test_what_is_inside_something_counted_is_not_counted_twice() -> None:
    clock = Clock()
    watch = Stopwatch(clock, clock.move)
    watch.restart()
    with watch.counting("store"):
        clock.move(1.0)
        with watch.counting("scsi"):
            clock.move(2.0)
    watch.wait(4.0)
    clock.move(8.0)
    told = watch.timing()
    assert (told.ready, told.store, told.scsi, told.waiting) == (15_000.0, 3_000.0, 0.0, 4_000.0)


def test_commands_and_transactions_are_counted_where_they_pass(tmp_path: Path) -> None:
    with rig(tmp_path) as bench:
        watch = Stopwatch()
        watch.restart()
        TimedTransport(bench.host, watch).execute(media.test_unit_ready())
        manager = timed(bench.manager, watch, threading.Lock())
        assert manager.rules() == bench.manager.rules()
        manager.note("counted")
        assert set(watch.spent) == {"scsi", "store"}
        assert bench.audit()[-1].event == "counted"


def test_a_writer_that_hangs_is_not_waited_for_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stopwatch, "WRITERS_PATIENCE", 0.01)
    writers = threading.Lock()
    with rig(tmp_path) as bench, writers:
        manager = timed(bench.manager, Stopwatch(), writers)
        with pytest.raises(StoreFailed, match="busy"):
            manager.note("never written")
    assert "never written" not in str(Path(tmp_path / "store" / "keystore.db").read_bytes())

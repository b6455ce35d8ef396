"""Where a mount's time goes: each second is counted once."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tapekey.errors import StoreFailed
from tapekey.keystore import database
from tapekey.scsi import media
from tapekey.service import stopwatch
from tapekey.service.queueing import Line
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
        manager = timed(bench.manager, watch, Line())
        assert manager.rules() == bench.manager.rules()
        manager.note("counted")
        assert set(watch.spent) == {"scsi", "store"}
        assert bench.audit()[-1].event == "counted"


def test_a_writer_that_hangs_is_not_waited_for_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stopwatch, "WRITERS_PATIENCE", 0.01)
    writers = Line()
    assert writers.acquire(0.0)
    with rig(tmp_path) as bench:
        manager = timed(bench.manager, Stopwatch(), writers)
        with pytest.raises(StoreFailed, match="busy"):
            manager.note("never written")
    assert "never written" not in str(Path(tmp_path / "store" / "keystore.db").read_bytes())


def test_a_worker_waits_longer_for_another_process_than_that_process_for_it(tmp_path: Path) -> None:
    with rig(tmp_path) as bench:
        database.wait_longer(bench.manager.store.engine, stopwatch.FILE_PATIENCE)
        with bench.manager.store.engine.connect() as connection:
            waits = connection.exec_driver_sql("PRAGMA busy_timeout").scalar()
    assert waits == 30_000
    assert database.BUSY_SECONDS < stopwatch.FILE_PATIENCE < stopwatch.WRITERS_PATIENCE


def test_a_file_that_another_process_keeps_is_waited_for_no_longer_than_said(tmp_path: Path) -> None:
    with rig(tmp_path) as bench, closing(sqlite3.connect(tmp_path / "store" / "keystore.db")) as other:
        other.execute("BEGIN IMMEDIATE")
        database.wait_longer(bench.manager.store.engine, 0.05)
        with pytest.raises(StoreFailed, match="another process holds it"):
            timed(bench.manager, Stopwatch(), Line()).note("never written")
        other.rollback()
        timed(bench.manager, Stopwatch(), Line()).note("written")

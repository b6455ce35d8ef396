"""A drive's worker: what it does to a drive, and above all what it does not, whatever ends or fails meanwhile."""

import logging
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tapekey.drive import abilities, parameters
from tapekey.errors import DriveUnknown, Refused, StoreFailed, TapekeyError, TimedOut
from tapekey.exchange import Command, Reply, Transport
from tapekey.policy.facts import Intent, Stance
from tapekey.scsi.codes import Opcode
from tapekey.service import duties, moments
from tapekey.service.door import Sight
from tapekey.service.drives import Drives
from tapekey.service.events import Cause
from tapekey.service.inbox import Wish
from tapekey.service.own_nexus import OwnNexus
from tapekey.service.view import State
from tapekey.turns import turn
from tests.rig import Faulty, Rig, check_condition, faulty, opcode, rig
from tests.service import crew as crews
from tests.service.crew import QUICK, Crew, crew, until

READY = State.READY_TO_WRITE
CHANGING = {
    Opcode.SECURITY_PROTOCOL_OUT,
    Opcode.MODE_SELECT_6,
    Opcode.MODE_SELECT_10,
    Opcode.WRITE_ATTRIBUTE,
    Opcode.LOAD_UNLOAD,
    Opcode.REWIND,
    Opcode.WRITE_6,
    Opcode.ERASE_6,
}
TUR = opcode(Opcode.TEST_UNIT_READY)


class Recorder:
    """What the agent sends, and how often it has looked."""

    def __init__(self, inner: Transport) -> None:
        self.inner, self.sent = inner, [0][:0]

    def execute(self, command: Command) -> Reply:
        self.sent.append(command.cdb[0])
        return self.inner.execute(command)

    @property
    def changes(self) -> set[int]:
        return set(self.sent) & CHANGING

    def looked(self, times: int) -> bool:
        return self.sent.count(Opcode.TEST_UNIT_READY) >= times


class Stuck:
    """A device that answers no command while `hold` is set."""

    def __init__(self, inner: Transport) -> None:
        self.inner, self.free, self.waiting = inner, threading.Event(), threading.Event()
        self.free.set()

    def execute(self, command: Command) -> Reply:
        if not self.free.is_set():
            self.waiting.set()
            self.free.wait(30.0)
        return self.inner.execute(command)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Rig]:
    with rig(tmp_path, inserted=False) as made:
        made.rule(Stance.REQUIRE, "*", "site", "partner")
        yield made


def cartridge(bench: Rig) -> Path:
    return bench.directory / "cartridge"


def key(bench: Rig) -> int | None:
    """The key instance counter, if a key is in the drive."""
    now = parameters.status(bench.settled)
    return now.key_instance_counter if now.encryption.name != "DISABLE" else None


def loaded(seen: Crew) -> Crew:
    seen.until(State.EMPTY)
    seen.insert(cartridge(seen.bench))
    seen.until(READY)
    return seen


# --- what it does ---


def test_a_cartridge_that_comes_is_keyed_and_its_going_is_put_down(bench: Rig) -> None:
    with crew(bench) as seen:
        loaded(seen)
        assert seen.worker.view.encrypted
        assert seen.worker.view.volser == "ENC001L6"
        bench.write()
        bench.eject()
        seen.until(State.EMPTY)
        assert "unaccounted" in [line.event for line in bench.audit()]
        assert not seen.alarms.recent()


def test_after_software_has_closed_the_drive_its_account_is_taken(bench: Rig) -> None:
    with crew(bench) as seen:
        loaded(seen).post(Cause.OPENED)
        bench.write()
        seen.post(Cause.CLOSED)
        until(lambda: dict(seen.alarms.counts())["accounts"] == 1)
        assert seen.state is READY
        assert "interim account" in [line.event for line in bench.audit()]


def test_whoever_asks_is_answered_once_software_may_open_the_drive(bench: Rig) -> None:
    with crew(bench) as seen:
        seen.until(State.EMPTY)
        asked = seen.ask(loaded=True, volsers=("ENC001L6",))
        seen.insert(cartridge(bench))
        told = asked.wait(lambda: ("", ""))
        assert (told["phase"], told["encrypted"], told["volser"]) == ("ready to write", True, "ENC001L6")
        assert key(bench) == 1


def test_others_are_let_in_before_anybody_is_told_that_they_are(bench: Rig) -> None:
    """Software that reads "ready" opens the drive at once, and must not find it held by us."""
    shown: list[State] = []

    class Noted(OwnNexus):
        def release(self) -> None:
            if self.held:
                shown.append(made[0].state)
            super().release()

    made: list[Crew] = []
    with crew(bench, door=Noted) as seen:
        made.append(seen)
        seen.until(State.EMPTY)
        asked = seen.ask(loaded=True)
        seen.insert(cartridge(bench))
        assert asked.wait(lambda: ("", ""))["phase"] == "ready to write"
        assert State.WORKING in shown
        assert READY not in shown


def test_an_asker_gets_the_refusal_itself(bench: Rig) -> None:
    with crew(bench) as seen:
        seen.until(State.EMPTY)
        asked = seen.ask(loaded=True, volsers=("XYZ001L6",))
        seen.insert(cartridge(bench))
        with pytest.raises(Refused, match="cannot save to"):
            asked.wait(lambda: ("", ""))
        assert seen.state is State.REFUSED
        assert seen.alarms.recent()


def test_an_unload_that_is_asked_for_is_accounted_and_done(bench: Rig) -> None:
    with crew(bench) as seen:
        loaded(seen)
        told = seen.asked(Wish.UNLOAD)
        assert told["accounted"]
        seen.until(State.EMPTY)
        assert bench.manager.current(bench.serial).accounted  # type: ignore[union-attr]


def test_who_waits_for_a_cartridge_that_never_comes_is_told_in_time(bench: Rig) -> None:
    with crew(bench) as seen:
        seen.until(State.EMPTY)
        with pytest.raises(TimedOut, match="not ready in time"):
            seen.asked(seconds=0.1, loaded=True)


# --- what it leaves alone ---


def test_a_drive_that_nobody_approved_is_asked_its_name_and_nothing_else(tmp_path: Path) -> None:
    with rig(tmp_path, approved=False) as bench:
        over = Recorder(bench.machine.transport("agent"))
        with crew(bench, over) as seen:
            seen.until(State.PENDING)
            with pytest.raises(DriveUnknown, match="not used"):
                seen.asked()
            assert set(over.sent) == {Opcode.INQUIRY}
            bench.approve()
            bench.clock.move(600.0)
            seen.post(Cause.RULES)
            seen.until(READY)


def test_a_drive_that_is_hands_off_is_told_so_and_not_touched(bench: Rig) -> None:
    bench.approve(hands_off=True)
    over = Recorder(bench.machine.transport("agent"))
    bench.rule(Stance.OBSERVE)
    with crew(bench, over) as seen:
        seen.until(State.HANDS_OFF)
        assert set(over.sent) == {Opcode.INQUIRY}
        bench.clock.move(600.0)
        assert seen.asked()["phase"] == "left alone"
        assert not over.changes
        assert Opcode.SECURITY_PROTOCOL_IN not in over.sent


def test_a_drive_that_is_hands_off_is_refused_to_what_must_be_encrypted(bench: Rig) -> None:
    """By what the asker says of one that cannot be looked at, or by the cartridge in it."""
    bench.approve(hands_off=True)
    over = Recorder(bench.machine.transport("agent"))
    with crew(bench, over) as seen:
        seen.until(State.HANDS_OFF)
        with pytest.raises(Refused, match="hands-off, and the rule is require"):
            seen.asked(volsers=("ENC009L6",))
        seen.insert(cartridge(bench))
        with pytest.raises(Refused, match="hands-off, and the rule is require"):
            seen.asked()
        assert not over.changes


class Counted(OwnNexus):
    """A door at which others are kept out, and how often it was used."""

    uses = 0

    @property
    def keeps_others_out(self) -> bool:
        return True

    def look(self) -> Sight:
        Counted.uses += 1
        return OwnNexus.look(self)

    def shut(self) -> bool:
        Counted.uses += 1
        return OwnNexus.shut(self)


def test_who_was_told_that_he_may_open_does_not_meet_us_at_the_door(
    bench: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor for the account of whoever had it before: that is taken before he is answered. Until he has opened it."""
    monkeypatch.setattr(crews, "OwnNexus", Counted)
    with crew(bench, pace=replace(QUICK, let_in=60.0)) as seen:
        loaded(seen)
        seen.post(Cause.CLOSED)
        assert seen.asked(intent=Intent.SAVE)["phase"] == "ready to write"
        assert dict(seen.alarms.counts())["accounts"] == 1
        before, at = Counted.uses, time.monotonic()
        seen.post(Cause.CLOSED)  # of the one before, told late
        seen.post(Cause.LIBRARY, full=True)
        until(lambda: time.monotonic() > at + 5 * QUICK.mounted)
        assert Counted.uses == before
        seen.post(Cause.OPENED)
        seen.post(Cause.CLOSED)
        until(lambda: dict(seen.alarms.counts())["accounts"] == 2)


def test_each_asker_is_answered_for_what_he_said_himself(bench: Rig) -> None:
    """Two in one round: the second one says another barcode."""
    with crew(bench) as seen:
        seen.until(State.EMPTY)
        first, second = (seen.ask(volsers=(name,), loaded=True) for name in ("ENC001L6", "XYZ001L6"))
        seen.insert(cartridge(bench))
        assert first.wait(lambda: ("", ""))["phase"] == "ready to write"
        with pytest.raises(Refused, match="name different volumes"):
            second.wait(lambda: ("", ""))


def test_under_observe_nothing_in_the_drive_or_on_the_cartridge_changes(bench: Rig) -> None:
    bench.rule(Stance.OBSERVE, "*")
    bench.rule(Stance.OBSERVE, "ENC*")
    over = Recorder(bench.machine.transport("agent"))
    with crew(bench, over) as seen:
        seen.until(State.EMPTY)
        seen.insert(cartridge(bench))
        seen.until(State.LEFT)
        assert not over.changes


def test_somebody_elses_key_is_an_alarm_and_stays(bench: Rig) -> None:
    bench.insert(cartridge(bench))
    bench.save()
    counter = key(bench)
    with bench.manager.store.writing() as transaction:
        transaction.connection.exec_driver_sql("DELETE FROM mounts")
        transaction.connection.exec_driver_sql(
            "UPDATE heads SET count = 0, digest = zeroblob(32) WHERE name = 'mounts'"
        )
    with crew(bench) as seen:
        seen.until(State.LEFT)
        assert any("somebody else's key" in alarm for alarm in seen.alarms.recent())
    assert key(bench) == counter


# --- stopping, starting, losing the store ---


@pytest.mark.parametrize("how", ["stopped", "left to itself"])
def test_ending_the_worker_sends_nothing_to_a_drive_with_a_cartridge(bench: Rig, how: str) -> None:
    over = Recorder(bench.machine.transport("agent"))
    with crew(bench, over) as seen:
        loaded(seen)
        over.sent.clear()
        if how == "stopped":
            seen.worker.stop()
            assert seen.worker.join(10.0)
    assert not over.changes
    assert key(bench) == 1
    assert b"PLAIN" not in bench.medium_bytes()


def test_who_outlives_the_agent_meets_a_closed_keystore_and_ends_with_one_line(
    bench: Rig, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    shipped, busy, free = duties.make_ready, threading.Event(), threading.Event()

    def slow(*args: Any, **more: Any) -> Any:
        busy.set()
        assert free.wait(30.0)
        return shipped(*args, **more)

    monkeypatch.setattr(duties, "make_ready", slow)
    with crew(bench) as seen, caplog.at_level(logging.INFO):
        seen.until(State.EMPTY)
        seen.insert(cartridge(bench))
        assert busy.wait(10.0)
        drives = Drives(seen.company, lambda _: (), {seen.worker.way.where: seen.worker})
        assert drives.stop(0.05) == (bench.serial,)
        caplog.clear()
        bench.manager.store.seal.wipe()
        free.set()
        assert seen.worker.join(10.0)
    (record,) = caplog.records
    assert (record.levelname, record.exc_info) == ("INFO", None)
    assert record.getMessage().endswith("ended in the middle of its work: the secret has been wiped")


def test_a_mount_of_ours_goes_on_after_a_restart_by_questions_alone(bench: Rig) -> None:
    with crew(bench) as seen:
        loaded(seen)
        before = seen.worker.view
    over = Recorder(bench.machine.transport("agent"))
    with crew(bench, over) as again:
        again.until(READY)
        assert (again.worker.view.generation, again.worker.view.key) == (before.generation, before.key)
        assert dict(again.alarms.counts())["adopted"] == 1
        assert again.worker.view.guards == ("drive", "watched")
        assert not over.changes
    assert key(bench) == 1


def test_a_drive_that_was_found_with_a_key_that_is_gone_has_no_guard_that_nobody_closed(bench: Rig) -> None:
    with crew(bench) as seen:
        loaded(seen)
    bench.machine.reset()
    with crew(bench) as again:
        again.until(State.REFUSED)
        assert again.worker.view.guards == ("watched",)


def test_a_key_that_is_gone_at_the_start_is_an_alarm_and_not_set_again(bench: Rig) -> None:
    with crew(bench) as seen:
        loaded(seen)
    bench.machine.reset()
    over = Recorder(bench.machine.transport("agent"))
    with crew(bench, over) as again:
        again.until(State.REFUSED)
        assert any("not what it should be" in alarm for alarm in again.alarms.recent())
        assert Opcode.SECURITY_PROTOCOL_OUT not in over.sent


def test_a_key_that_is_gone_at_the_start_is_set_again_by_the_command_that_the_alarm_names(bench: Rig) -> None:
    with crew(bench) as seen:
        loaded(seen)
    bench.machine.reset()
    with crew(bench) as again:
        again.until(State.REFUSED)
        assert again.worker.view.mend.endswith(f"tapekey save {bench.serial} sets its key again")
        with turn(bench.serial, again.company.runtime):
            bench.save()
        again.until(READY)
        assert again.worker.view.generation == 2
    assert key(bench) is not None


def test_a_cartridge_that_was_put_in_again_while_no_agent_ran_is_keyed_again(bench: Rig) -> None:
    with crew(bench) as seen:
        loaded(seen)
        bench.write()
    bench.eject()
    bench.insert(cartridge(bench))
    bench.clock.move(600.0)
    with crew(bench) as again:
        again.until(READY)
        assert again.worker.view.generation == 2
        assert not again.alarms.recent()
        assert "mount accounted" in [line.event for line in bench.audit()]
    assert key(bench) is not None


def test_a_reset_under_a_mount_is_an_alarm_and_the_key_is_set_by_a_whole_operation(bench: Rig) -> None:
    with crew(bench) as seen:
        loaded(seen)
        bench.machine.reset()
        seen.post(Cause.RESET)
        until(lambda: seen.state is READY and seen.worker.view.generation == 2)
        assert any("its key may be gone" in alarm for alarm in seen.alarms.recent())
    assert key(bench) is not None


def test_a_store_that_fails_while_a_cartridge_is_mounted_changes_nothing_in_the_drive(
    bench: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    over = Recorder(bench.machine.transport("agent"))
    with crew(bench, over) as seen:
        loaded(seen)
        over.sent.clear()
        with monkeypatch.context() as patch:
            patch.setattr("tapekey.keystore.database.transaction", _full)
            seen.post(Cause.CLOSED)
            seen.until(State.FAILED)
            assert "the disk is full" in seen.why
            assert seen.worker.view.alarm
        seen.until(READY)
        assert not over.changes & {Opcode.SECURITY_PROTOCOL_OUT, Opcode.LOAD_UNLOAD}
    assert key(bench) == 1


def _full(*_: Any, **__: Any) -> Any:
    raise StoreFailed("the keystore failed", why="the disk is full")


# --- errors ---


def test_an_error_is_never_read_as_an_empty_drive(bench: Rig) -> None:
    device = bench.machine.transport("agent")
    over = Faulty(device, TUR, check_condition(4, 0x44, 0), times=0)
    with crew(bench, over) as seen:
        loaded(seen)
        over.met, over.times = 0, 3
        seen.until(State.FAILED)
        assert "unaccounted" not in [line.event for line in bench.audit()]
        seen.until(READY)
    assert seen.worker.view.generation == 1
    assert key(bench) == 1


def test_a_fault_of_our_own_is_logged_with_its_traceback_and_tried_again(
    bench: Rig, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    faults = [ZeroDivisionError("planned"), ZeroDivisionError("planned")]
    shipped = duties.make_ready

    def breaks(*args: Any, **more: Any) -> Any:
        if faults:
            raise faults.pop()
        return shipped(*args, **more)

    monkeypatch.setattr(duties, "make_ready", breaks)
    with crew(bench) as seen, caplog.at_level(logging.WARNING):
        seen.until(State.EMPTY)
        seen.insert(cartridge(bench))
        seen.until(State.FAILED)
        seen.until(READY)
    assert any(
        record.exc_info and "ZeroDivisionError" in str(record.exc_info[1].__class__) for record in caplog.records
    )


def test_a_drive_that_fails_now_and_then_is_served_all_the_same(bench: Rig) -> None:
    device = bench.machine.transport("agent")
    over = faulty(device, when=opcode(Opcode.READ_ATTRIBUTE), reply=check_condition(0xB, 0x47, 0), times=2)
    with crew(bench, over) as seen:
        seen.until(State.EMPTY)
        seen.insert(cartridge(bench))
        seen.until(READY)
        assert dict(seen.alarms.counts())["errors"] >= 1


# --- what is late ---


def test_whoever_asked_is_told_that_a_stuck_drive_does_not_answer(bench: Rig) -> None:
    over = Stuck(bench.machine.transport("agent"))
    with crew(bench, over) as seen:
        loaded(seen)
        over.free.clear()
        with pytest.raises(TimedOut, match="not ready in time"):
            seen.asked(seconds=0.1)
        over.free.set()


def test_what_comes_of_a_device_that_went_meanwhile_acts_on_nothing(bench: Rig) -> None:
    over = Stuck(bench.machine.transport("agent"))
    with crew(bench, over) as seen:
        loaded(seen)
        over.free.clear()
        assert over.waiting.wait(10.0)
        seen.worker.gone()
        assert seen.state is State.GONE
        lines = len(bench.audit())
        bench.eject()
        over.free.set()
        assert seen.worker.join(10.0)
        assert seen.state is State.GONE
        assert len(bench.audit()) == lines


def test_the_end_of_an_older_mount_does_nothing_to_a_newer_one(bench: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[int] = []
    monkeypatch.setattr(moments, "after_eject", lambda hands, mount: ended.append(mount.generation))
    over = Stuck(bench.machine.transport("agent"))
    with crew(bench, over) as seen:
        loaded(seen)
        over.free.clear()
        assert over.waiting.wait(10.0)
        bench.manager.begin(bench.serial, "ANOTHER", "ENC002L6", Intent.SAVE)
        bench.eject()
        over.free.set()
        seen.until(State.EMPTY)
    assert ended == []


def test_a_reset_during_the_operation_makes_its_ready_void(bench: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    shipped, resets = duties.make_ready, [1]

    def interrupted(transport: Transport, hands: duties.Hands, *args: Any, **more: Any) -> Any:
        done = shipped(transport, hands, *args, **more)
        if resets:
            resets.pop()
            bench.machine.reset()
            seen.post(Cause.RESET)
        return done

    monkeypatch.setattr(duties, "make_ready", interrupted)
    with crew(bench) as seen:
        seen.until(State.EMPTY)
        asked = seen.ask(loaded=True)
        seen.insert(cartridge(bench))
        assert asked.wait(lambda: ("", ""))["encrypted"]
        assert key(bench) is not None
        assert seen.worker.view.generation == 2


def test_ready_is_said_only_behind_a_look_at_the_parameters(bench: Rig) -> None:
    with crew(bench) as seen:
        loaded(seen)
        ours = bench.machine.transport("agent")  # the drive tells nobody of what this initiator does itself
        parameters.clear_key(ours, abilities.abilities(ours))
        told = seen.asked()
        assert told["phase"] == "ready to write"
        assert key(bench) is not None
        assert seen.worker.view.generation == 2


# --- others ---


def test_while_another_process_works_on_the_drive_the_worker_waits_its_turn(bench: Rig) -> None:
    with crew(bench) as seen:
        seen.until(State.EMPTY)
        with turn(bench.serial, bench.directory / "run", who="another"):
            seen.insert(cartridge(bench))
            until(lambda: "another" in seen.why, lambda: seen.why)
            assert key(bench) is None
        seen.until(READY)


def test_a_mount_that_somebody_else_of_ours_began_is_taken_over(bench: Rig) -> None:
    with crew(bench) as seen:
        loaded(seen)
        bench.manager.begin(bench.serial, bench.manager.current(bench.serial).medium_serial, "", Intent.SAVE)  # type: ignore[union-attr]
        until(lambda: seen.worker.view.generation > 2, lambda: str(seen.worker.view))
        seen.until(READY)


def test_a_rival_is_not_served(bench: Rig) -> None:
    with crew(bench) as seen:
        seen.until(State.EMPTY)
        seen.company.identities.take("ANOTHER", b"", "virtual:other")
        with pytest.raises(DriveUnknown, match="not unique"):
            seen.company.identities.take(bench.serial, b"", "virtual:other")


def test_a_drive_that_is_barred_is_shown_with_the_reason_and_sent_nothing(bench: Rig) -> None:
    over = Recorder(bench.machine.transport("agent"))
    with crew(bench, over, serial="D1", barred="two go by one name") as seen:
        until(lambda: seen.why == "two go by one name")
        assert seen.state is State.PENDING
        assert seen.worker.view.alarm
        assert over.sent == []


def test_every_error_has_a_way_out_for_the_operator(bench: Rig) -> None:
    with crew(bench) as seen:
        seen.until(State.EMPTY)
        with pytest.raises(TapekeyError) as caught:
            seen.asked(intent=Intent.SAVE)
        assert caught.value.mend

"""The userspace initiator against a target that a test scripts: what arrives, what fails, and nothing twice."""

import os
import sys
import threading
import time
from pathlib import Path

import pytest

from tapekey.errors import TapekeyError, TimedOut, TransportFailed
from tapekey.exchange import Command
from tapekey.secret import Secret
from tapekey.transport import iscsi
from tapekey.transport.trace import Trace
from tests.octets import octets
from tests.transport import iscsi_target
from tests.transport.iscsi_target import Asked, Target

pytest.importorskip("tapekey.native_iscsi", reason="libiscsi-dev was not there at set-up")

US = "iqn.2026-11.invalid.tapekey:me"
READY = Command(bytes(6))
INQUIRY = Command(octets("12 00 00 00 60 00"), data_in_max=96)
SENSE = octets("70 00 06 00 00 00 00 0a 00 00 00 00 28 00 00 00 00 00")


def obliging(target: Target, asked: Asked) -> None:
    room = int.from_bytes(asked.header[20:24], "big")
    target.good(asked, bytes(range(64)) if room and asked.header[1] & 0x40 else b"")


def commands(seen: list[Asked]) -> list[bytes]:
    return [asked.cdb for asked in seen if asked.opcode == iscsi_target.COMMAND]


def test_logging_in_and_out_sends_no_command() -> None:
    with iscsi_target.listening(obliging) as (uri, seen):
        with iscsi.open_device(uri, US):
            pass
        assert [asked.opcode for asked in seen] == [iscsi_target.LOGIN, iscsi_target.LOGOUT]
        assert f"InitiatorName={US}\0".encode() in seen[0].data
        assert f"TargetName={iscsi_target.NAME}\0".encode() in seen[0].data


def test_what_arrived_is_what_was_asked_less_the_residual() -> None:
    with iscsi_target.listening(obliging) as (uri, seen), iscsi.open_device(uri, US) as device:
        reply = device.execute(INQUIRY)
        assert (reply.status, reply.data_in) == (0, bytes(range(64)))
        assert seen[-1].cdb[:6] == INQUIRY.cdb
        assert seen[-1].header[8:10] == b"\0\1"  # LUN 1, peripheral addressing


def test_sense_comes_as_it_was_sent() -> None:
    with (
        iscsi_target.listening(lambda target, asked: target.check(asked, SENSE)) as (uri, _),
        iscsi.open_device(uri, US) as device,
    ):
        reply = device.execute(READY)
        assert (reply.status, reply.sense, reply.data_in) == (2, SENSE, b"")


@pytest.mark.parametrize("status", [0x08, 0x18, 0x28, 0x40])
def test_a_status_without_sense_is_the_targets_own_answer(status: int) -> None:
    def busy(target: Target, asked: Asked) -> None:
        target.send(iscsi_target.RESPONSE, iscsi_target.FINAL, asked.header[16:20], third=status)

    with iscsi_target.listening(busy) as (uri, _), iscsi.open_device(uri, US) as device:
        assert device.execute(READY).status == status
        assert device.execute(READY).status == status


@pytest.mark.parametrize("size", [1, 3, 513, 8192])
def test_data_out_arrives_in_full(size: int) -> None:
    got = bytearray()

    def take(target: Target, asked: Asked) -> None:
        got.extend(asked.data)
        while len(got) < size:
            got.extend(target.receive().data)
        target.good(asked)

    data = os.urandom(size)
    with iscsi_target.listening(take) as (uri, _), iscsi.open_device(uri, US) as device:
        assert device.execute(Command(bytes([0x0A, 0, *size.to_bytes(3, "big"), 0]), data_out=data)).status == 0
    assert bytes(got) == data


def test_a_secret_arrives_as_it_is_and_a_trace_shows_its_length_only() -> None:
    lines: list[str] = []
    key = os.urandom(32)
    with iscsi_target.listening(obliging) as (uri, seen), iscsi.open_device(uri, US) as device, Secret(key) as secret:
        Trace(device, lines.append).execute(Command(octets("b5 20 00 10 00 00 00 00 00 20 00 00"), data_out=secret))
        assert seen[-1].data == key
    assert key.hex() not in lines[0]
    assert '"out": 32' in lines[0]


def test_time_out_ends_the_session_and_nothing_is_sent_again() -> None:
    with iscsi_target.listening(lambda _target, _asked: None) as (uri, seen), iscsi.open_device(uri, US) as device:
        began = time.monotonic()
        with pytest.raises(TimedOut, match="00h in 0.3 s") as failed:
            device.execute(Command(bytes(6), timeout=0.3))
        assert time.monotonic() - began < 2
        assert "not known" in failed.value.why
        with pytest.raises(TransportFailed, match="has ended") as ended:
            device.execute(READY)
        assert "new initiator" in ended.value.why
    assert len(commands(seen)) == 1
    assert len([asked for asked in seen if asked.opcode == iscsi_target.LOGIN]) == 1


def hangs_up(target: Target, _: Asked) -> None:
    target.connection.close()


def talks_nonsense(target: Target, _: Asked) -> None:
    target.connection.sendall(b"\xff" * 48)


def answers_another_task(target: Target, asked: Asked) -> None:
    target.send(iscsi_target.RESPONSE, iscsi_target.FINAL, bytes(4 * [0x77]))
    target.connection.close()


def sends_more_than_fits(target: Target, asked: Asked) -> None:
    target.send(iscsi_target.DATA_IN, 0x81, asked.header[16:20], bytes(4096))


def sends_behind_the_room(target: Target, asked: Asked) -> None:
    last = (0).to_bytes(4, "big") + (1 << 20).to_bytes(4, "big")  # data number, buffer offset
    target.send(iscsi_target.DATA_IN, 0x81, asked.header[16:20], bytes(96), last=last)


@pytest.mark.parametrize(
    "fault", [hangs_up, talks_nonsense, answers_another_task, sends_more_than_fits, sends_behind_the_room]
)
def test_a_session_that_breaks_is_told_and_never_mended_in_silence(fault: iscsi_target.Script) -> None:
    with iscsi_target.listening(fault) as (uri, seen), iscsi.open_device(uri, US) as device:
        with pytest.raises(TransportFailed) as failed:
            device.execute(Command(INQUIRY.cdb, data_in_max=96, timeout=2))
        assert failed.value.mend
        with pytest.raises(TransportFailed, match="has ended"):
            device.execute(READY)
        assert len(commands(seen)) == 1


def test_idle_session_answers_pings() -> None:
    answered = threading.Event()

    def pinging(target: Target, asked: Asked) -> None:
        target.good(asked)
        target.send(iscsi_target.NOP_IN, iscsi_target.FINAL, iscsi_target.NO_TAG, ping=b"\0\0\0\7")
        reply = target.receive()
        if reply.opcode == iscsi_target.NOP_OUT:
            answered.set()

    with iscsi_target.listening(pinging) as (uri, _), iscsi.open_device(uri, US) as device:
        device.execute(READY)
        assert answered.wait(5)


def test_loss_of_an_idle_session_is_told_by_the_next_command() -> None:
    def leaves(target: Target, asked: Asked) -> None:
        target.check(asked, SENSE)
        raise ConnectionError

    with iscsi_target.listening(leaves) as (uri, seen), iscsi.open_device(uri, US) as device:
        assert device.execute(READY).status == 2
        with pytest.raises(TransportFailed, match="closed the connection|Broken pipe|reset"):
            device.execute(READY)
        assert len([asked for asked in seen if asked.opcode == iscsi_target.LOGIN]) == 1


def test_nobody_there_says_why_and_what_to_look_at() -> None:
    with (
        pytest.raises(TransportFailed, match="127.0.0.1:1: Connection refused") as failed,
        iscsi.open_device(f"iscsi://127.0.0.1:1/{iscsi_target.NAME}/1", US),
    ):
        pass
    assert "listens" in failed.value.mend


def test_a_target_that_never_speaks_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(iscsi, "CONNECT_TIMEOUT", 0.3)
    monkeypatch.setattr(Target, "login", lambda self: self.receive() and self.receive())
    with (
        iscsi_target.listening(obliging) as (uri, _),
        pytest.raises(TimedOut, match="login"),
        iscsi.open_device(uri, US),
    ):
        pass


def test_without_the_compiled_module_it_says_how_to_build_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tapekey.native_iscsi", None)
    with (
        pytest.raises(TransportFailed, match="not built") as failed,
        iscsi.open_device(f"iscsi://127.0.0.1/{iscsi_target.NAME}/1", US),
    ):
        pass
    assert "libiscsi-dev" in failed.value.mend


def test_secret_of_the_login_is_nowhere_in_what_is_told() -> None:
    word = b"a-word-nobody-may-see"
    with iscsi_target.listening(obliging) as (uri, seen), Secret(word) as secret:
        chap = iscsi.Chap("ada", secret)
        with iscsi.open_device(uri, US, chap) as device:
            names = [thread.name for thread in threading.enumerate()]
            assert word.decode() not in f"{chap!r} {device.address} {names}"
            assert word not in Path("/proc/self/cmdline").read_bytes()
        assert word not in b"".join(asked.data for asked in seen)
        nobody = f"iscsi://127.0.0.1:1/{iscsi_target.NAME}/1"
        with pytest.raises(TapekeyError) as failed, iscsi.open_device(nobody, US, chap):
            pass
        assert word.decode() not in f"{failed.value} {failed.value.mend}"


def test_a_target_that_was_to_prove_itself_and_did_not_is_refused() -> None:
    with (
        iscsi_target.listening(obliging) as (uri, seen),
        Secret(b"our-own-secret-word") as ours,
        Secret(b"their-own-secret-word") as theirs,
        pytest.raises(TransportFailed, match="let us in"),
        iscsi.open_device(uri, US, iscsi.Chap("ada", ours, "library", theirs)) as device,
    ):
        device.execute(READY)
    assert not commands(seen)

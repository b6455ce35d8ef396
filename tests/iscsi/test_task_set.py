"""Commands from their headers over their data to their answers (RFC 7143, 4.2, 11.3, 11.4, 11.7, 11.8)."""

import os
from itertools import product
from typing import Any

import pytest

from tapekey.exchange import Buffer
from tapekey.iscsi import digest, pdu, receiver
from tapekey.iscsi.answers import residual_of
from tapekey.iscsi.codes import NO_TAG, RejectReason
from tapekey.iscsi.config import KIB, Config, Offer
from tapekey.iscsi.events import Closed, Event, Execute, Send
from tapekey.iscsi.initiator_login import Account
from tapekey.iscsi.request import DataOut, ScsiCommand
from tapekey.iscsi.response import DataIn, ReadyToTransfer, Reject, ScsiResponse
from tapekey.iscsi.target import TargetSession
from tests.iscsi.conversation import (
    FIRST,
    INITIATOR,
    ISID,
    LOGIN,
    TARGET,
    Conversation,
    feed,
    joined,
    logged_in,
    login_request,
    pdus,
    sent,
)

WRITE6, READ6, READY = b"\x0a\0\4\0\0\0", b"\x08\0\4\0\0\0", bytes(6)
SENSE = bytes.fromhex("70 00 05 00 00 00 00 0a 00 00 00 00 24 00 00 00 00 00")
OPEN = {"InitialR2T": "No", "ImmediateData": "Yes", "MaxBurstLength": "4096", "FirstBurstLength": "2048"}


def command(number: int = FIRST, data: bytes = b"", additional: bytes = b"", **fields: Any) -> bytes:
    """A command as bytes; unless told otherwise its tag is 100 + CmdSN, its expected length that of its data."""
    defaults = {
        "tag": 100 + number,
        "command_number": number,
        "write": bool(data),
        "expected_length": len(data),
        "cdb": READY.ljust(16, b"\0"),
    }
    return joined(pdu.parts(ScsiCommand(**{**defaults, **fields}), data, additional=additional))


def data_out(tag: int, data: bytes, transfer_tag: int = NO_TAG, **fields: Any) -> bytes:
    return joined(pdu.parts(DataOut(tag=tag, transfer_tag=transfer_tag, **fields), data))


def given(events: list[Event]) -> list[Execute]:
    return [event for event in events if isinstance(event, Execute)]


def only(events: list[Event]) -> Execute:
    (found,) = given(events)
    return found


def r2t(events: list[Event]) -> ReadyToTransfer:
    (header,) = (header for header, _ in sent(events) if isinstance(header, ReadyToTransfer))
    assert isinstance(header, ReadyToTransfer)
    return header


def ended(parts: list[Buffer]) -> tuple[ScsiResponse, bytes]:
    """The response that ends a command."""
    ((header, data),) = pdus(joined(parts))
    assert isinstance(header, ScsiResponse)
    return header, data


def failed(events: list[Event], sense: str) -> None:
    """The command ended with CHECK CONDITION and this key, ASC and ASCQ."""
    (event,) = (event for event in events if isinstance(event, Send))
    header, data = ended(event.parts)
    assert header.status == 2
    assert (data[:2], f"{data[4]:X}/{data[14]:02X}/{data[15]:02X}") == (b"\0\x12", sense)


# --- data-out ------------------------------------------------------------------------------------------------


def test_immediate_data_come_with_the_command() -> None:
    event = only(feed(logged_in(), command(data=b"0123456", lun=b"\0\3" + bytes(6), cdb=WRITE6.ljust(16, b"\0"))))
    assert (event.tag, event.lun, event.cdb, bytes(event.data_out), event.data_in_max) == (
        101,
        3,
        WRITE6,
        b"0123456",
        0,
    )


@pytest.mark.parametrize(
    ("opcode", "length"), [(0x00, 6), (0x1F, 6), (0x28, 10), (0x5F, 10), (0x88, 16), (0xA0, 12), (0xC0, 16)]
)
def test_cdb_is_as_long_as_its_group_says(opcode: int, length: int) -> None:
    cdb = bytes([opcode]) + bytes(15)
    assert only(feed(logged_in(), command(cdb=cdb))).cdb == cdb[:length]


def test_long_cdb_comes_whole() -> None:
    cdb = bytes([0x7F, *range(1, 32)])
    event = only(feed(logged_in(), command(cdb=cdb[:16], additional=pdu.extended_cdb(cdb))))
    assert event.cdb == cdb


def test_broken_additional_header_ends_the_command_only() -> None:
    session = logged_in()
    failed(feed(session, command(additional=b"\0\xff\1\0")), "5/24/00")
    only(feed(session, command(FIRST + 1)))


@pytest.mark.parametrize(
    ("first", "burst", "segment", "initial_r2t", "immediate", "length", "step", "kind"),
    [
        (*bounds, r2t, immediate, length, step, kind)
        for bounds in ((512, 512, 512), (1024, 4096, 512), (4096, 4096, 4096), (2048, 4096, 1000))
        for r2t, immediate in product((True, False), repeat=2)
        for length in (0, 1, 511, 512, 513, 2048, 4099, 10001)
        for step, kind in ((0, "None"), (7, "CRC32C"))
    ],
)
def test_data_arrive_however_they_are_cut(
    first: int, burst: int, segment: int, initial_r2t: bool, immediate: bool, length: int, step: int, kind: str
) -> None:
    seen: list[bytes] = []

    def unit(event: Execute) -> tuple[int, bytes, bytes]:
        seen.append(bytes(event.data_out))
        return 0, b"", b""

    offer = Offer(
        header_digests=(kind,),
        data_digests=(kind,),
        initial_r2t=initial_r2t,
        immediate_data=immediate,
        max_burst=burst,
        first_burst=first,
    )
    account = Account(INITIATOR, TARGET, ISID, offer=offer)
    talk = Conversation(Config(TARGET, offer=Offer(max_recv_segment=segment)), account, unit, step).begin()
    data = os.urandom(length)
    finished = talk.command(3, WRITE6, data)
    assert (finished.status, finished.overflow, finished.underflow) == (0, 0, 0)
    assert seen == [data]


def test_r2t_asks_for_one_burst_after_the_other() -> None:
    session = logged_in(None, **OPEN)
    events = feed(session, command(write=True, expected_length=10000, lun=b"\0\2" + bytes(6)))
    asked = []
    offset = 0
    while not given(events):
        header = r2t(events)
        asked.append((header.number, header.offset, header.desired, header.lun[:2], header.tag))
        assert (header.status_number, header.expected_command, header.max_command) == (1, 2, 32)
        events = feed(session, data_out(101, bytes(header.desired), header.transfer_tag, offset=offset))
        offset += header.desired
    assert asked == [(0, 0, 4096, b"\0\2", 101), (1, 4096, 4096, b"\0\2", 101), (2, 8192, 1808, b"\0\2", 101)]


def test_r2t_waits_for_the_turn_of_its_command() -> None:
    session = logged_in(None, **OPEN)
    feed(session, command(FIRST + 1, final=False, write=True, expected_length=8))
    assert feed(session, data_out(102, b"1234")) == []
    assert r2t(feed(session, command(FIRST))).offset == 4


def test_answer_counts_the_r2ts() -> None:
    session = logged_in(None, **OPEN)
    header = r2t(feed(session, command(write=True, expected_length=4096)))
    feed(session, data_out(101, bytes(4096), header.transfer_tag))
    assert ended(session.answer(101, 0))[0].expected_data == 1


def test_unsolicited_data_may_be_less_than_the_first_burst() -> None:
    session = logged_in(None, **OPEN)
    feed(session, command(data=b"a" * 500, final=False, expected_length=3000))
    header = r2t(feed(session, data_out(101, b"b" * 100, offset=500)))
    assert (header.offset, header.desired) == (600, 2400)


def test_r2t_waits_for_the_end_of_unsolicited_data() -> None:
    session = logged_in(None, **OPEN)
    assert feed(session, command(data=b"a" * 500, final=False, expected_length=3000)) == []
    assert feed(session, data_out(101, b"b" * 100, offset=500, final=False)) == []
    r2t(feed(session, data_out(101, b"c" * 100, offset=600, data_number=1)))


# what may be wrong with a Data-Out, as fields of it, and the sense that ends its command
MISPLACED = {
    "a data number too high": ({"data_number": 1}, "B/47/05"),
    "an offset too high": ({"offset": 4}, "B/47/05"),
    "more than was asked for": ({"data": bytes(4097)}, "B/47/05"),
    "less than was asked for": ({"data": bytes(4092)}, "B/0C/0D"),
    "nothing": ({"data": b""}, "B/0C/0D"),
    "data that nobody asked for": ({"transfer_tag": NO_TAG}, "B/0C/0C"),
}


@pytest.mark.parametrize(("fields", "sense"), MISPLACED.values(), ids=MISPLACED)
def test_misplaced_data_end_their_command(fields: dict[str, Any], sense: str) -> None:
    session = logged_in(None, **OPEN)
    header = r2t(feed(session, command(write=True, expected_length=8192)))
    arguments = {"data": bytes(4096), "transfer_tag": header.transfer_tag, **fields}
    failed(feed(session, data_out(101, **arguments)), sense)
    assert feed(session, data_out(101, bytes(4096), header.transfer_tag)) == []
    only(feed(session, command(FIRST + 1)))


def test_more_unsolicited_data_than_the_first_burst_end_their_command() -> None:
    session = logged_in(None, **OPEN)
    feed(session, command(final=False, write=True, expected_length=8192))
    failed(feed(session, data_out(101, bytes(2049))), "B/47/05")


def test_unsolicited_data_that_were_not_agreed_end_their_command() -> None:
    session = logged_in(None, ImmediateData="No", InitialR2T="Yes")
    failed(feed(session, command(data=b"1234")), "B/0C/0C")
    failed(feed(session, command(FIRST + 1, write=True, final=False, expected_length=4)), "B/0C/0C")
    only(feed(session, command(FIRST + 2)))


def test_more_immediate_data_than_was_announced_end_their_command() -> None:
    session = logged_in(None, **OPEN)
    failed(feed(session, command(data=b"1234", expected_length=3)), "B/0C/0D")
    failed(feed(session, command(FIRST + 1, data=bytes(2049))), "B/0C/0D")
    failed(feed(session, command(FIRST + 2, data=b"1234", write=False, read=True)), "B/0C/0D")
    only(feed(session, command(FIRST + 3)))


def test_data_for_a_command_that_never_was_are_dropped() -> None:
    session = logged_in(None, **OPEN)
    assert feed(session, data_out(999, bytes(4096), 5)) == []
    assert feed(session, data_out(999, b"")) == []
    only(feed(session, command()))


def test_data_with_an_old_transfer_tag_are_dropped() -> None:
    session = logged_in(None, **OPEN)
    header = r2t(feed(session, command(write=True, expected_length=4096)))
    assert feed(session, data_out(101, b"old!" * 1024, header.transfer_tag + 1)) == []
    event = only(feed(session, data_out(101, b"new!" * 1024, header.transfer_tag)))
    assert bytes(event.data_out) == b"new!" * 1024


def test_data_for_a_running_command_are_dropped() -> None:
    session = logged_in(None, **OPEN)
    event = only(feed(session, command(data=b"1234")))
    assert feed(session, data_out(101, b"5678")) == []
    assert bytes(event.data_out) == b"1234"


def test_transfer_that_is_too_long_is_refused_before_it_is_received() -> None:
    session = logged_in(Config(TARGET, max_transfer=64 * KIB), InitialR2T="No")
    failed(feed(session, command(data=b"1234", final=False, expected_length=64 * KIB + 1)), "5/24/00")
    assert feed(session, data_out(101, bytes(8192), offset=4)) == []
    r2t(feed(session, command(FIRST + 1, write=True, expected_length=64 * KIB)))


def test_memory_of_a_session_is_bounded() -> None:
    session = logged_in(Config(TARGET, memory=100 * KIB))
    feed(session, command(write=True, expected_length=64 * KIB))
    (event,) = feed(session, command(FIRST + 1, write=True, expected_length=60 * KIB))
    assert isinstance(event, Send)
    assert ended(event.parts)[0].status == 0x28
    (event,) = feed(session, command(FIRST + 2, read=True, expected_length=64 * KIB))
    assert isinstance(event, Send)
    assert ended(event.parts)[0].status == 0x28
    only(feed(session, command(FIRST + 3, read=True, expected_length=4 * KIB, lun=b"\0\1" + bytes(6))))


def test_memory_is_used_again() -> None:
    session = logged_in(Config(TARGET, memory=100 * KIB))
    seen = set()
    for number in range(FIRST, FIRST + 50):
        event = only(feed(session, command(number, data=bytes(8192))))
        seen.add(id(event.data_out.obj))
        session.answer(event.tag, 0)
    assert len(seen) == 1


# --- order ---------------------------------------------------------------------------------------------------


def test_command_outside_the_window_is_ignored() -> None:
    session = logged_in(Config(TARGET, commands=4))
    for number in (FIRST - 1, FIRST + 4, FIRST + 100, (FIRST - 5) & 0xFFFFFFFF):
        assert feed(session, command(number, data=b"1234", tag=7)) == []
    assert only(feed(session, command(data=b"5678"))).tag == 101


def test_window_closes_with_commands_and_opens_with_answers() -> None:
    session = logged_in(Config(TARGET, commands=2))
    only(feed(session, command(FIRST)))
    only(feed(session, command(FIRST + 1)))
    assert feed(session, command(FIRST + 2)) == []
    header, _ = ended(session.answer(101, 0))
    assert (header.expected_command, header.max_command) == (FIRST + 2, FIRST + 2)
    only(feed(session, command(FIRST + 2)))


def test_immediate_command_takes_no_number() -> None:
    session = logged_in(Config(TARGET, commands=1))
    only(feed(session, command(FIRST, tag=1)))
    assert only(feed(session, command(FIRST + 1, tag=2, immediate=True))).tag == 2
    header, _ = ended(session.answer(2, 0))
    assert (header.expected_command, header.max_command) == (FIRST + 1, FIRST)


def test_immediate_commands_are_bounded() -> None:
    session = logged_in(Config(TARGET, commands=1))
    for tag in range(9):
        only(feed(session, command(tag=tag, immediate=True)))
    ((header, _),) = sent(feed(session, command(tag=9, immediate=True)))
    assert (type(header), header.reason) == (Reject, RejectReason.IMMEDIATE_COMMAND)


def test_commands_that_come_out_of_order_are_run_in_order() -> None:
    session = logged_in()
    assert feed(session, command(FIRST + 2, data=b"three")) == []
    assert feed(session, command(FIRST + 2, data=b"again")) == []
    assert feed(session, command(FIRST + 1, data=b"two")) == []
    events = given(feed(session, command(FIRST, data=b"one")))
    assert [bytes(event.data_out) for event in events] == [b"one", b"two", b"three"]
    assert ended(session.answer(101, 0))[0].expected_command == FIRST + 3


def test_data_of_a_command_that_came_early_are_kept() -> None:
    session = logged_in(None, **OPEN)
    assert feed(session, command(FIRST + 1, final=False, write=True, expected_length=4)) == []
    assert feed(session, data_out(102, b"1234")) == []
    events = given(feed(session, command(FIRST)))
    assert [bytes(event.data_out) for event in events] == [b"", b"1234"]


def test_broken_data_of_a_command_that_came_early_end_it_in_its_turn() -> None:
    session = logged_in(None, **OPEN)
    feed(session, command(FIRST + 1, final=False, write=True, expected_length=4))
    assert feed(session, data_out(102, b"1234", offset=8)) == []
    failed(feed(session, command(FIRST)), "B/47/05")


def test_data_of_a_refused_command_that_came_early_are_dropped() -> None:
    session = logged_in(Config(TARGET, max_transfer=4 * KIB), **OPEN)
    feed(session, command(FIRST + 1, final=False, write=True, expected_length=5 * KIB))
    assert feed(session, data_out(102, b"1234")) == []
    failed(feed(session, command(FIRST)), "5/24/00")


def test_numbers_wrap_around() -> None:
    session = TargetSession(Config(TARGET, commands=4), portal="", tsih=1, now=0.0)
    feed(session, login_request(LOGIN, command_number=0xFFFFFFFE))
    for number in (0xFFFFFFFE, 0xFFFFFFFF, 0, 1):
        event = only(feed(session, command(number, tag=5)))
        header, _ = ended(session.answer(event.tag, 0))
        assert header.expected_command == (number + 1) & 0xFFFFFFFF
        assert header.max_command == (number + 4) & 0xFFFFFFFF


def test_unit_runs_its_commands_in_the_order_sent() -> None:
    session = logged_in(None, **OPEN)
    header = r2t(feed(session, command(FIRST, write=True, expected_length=4, lun=b"\0\1" + bytes(6))))
    assert feed(session, command(FIRST + 1, lun=b"\0\1" + bytes(6))) == []
    assert only(feed(session, command(FIRST + 2, lun=b"\0\2" + bytes(6)))).tag == 103
    events = given(feed(session, data_out(101, b"1234", header.transfer_tag)))
    assert [event.tag for event in events] == [101, 102]


def test_failed_command_lets_the_next_run() -> None:
    session = logged_in(None, **OPEN)
    header = r2t(feed(session, command(FIRST, write=True, expected_length=4)))
    feed(session, command(FIRST + 1))
    assert only(feed(session, data_out(101, b"1234", header.transfer_tag, offset=4))).tag == 102


def test_tag_in_use_is_rejected_with_the_header() -> None:
    session = logged_in()
    only(feed(session, command(FIRST, tag=7)))
    image = command(FIRST + 1, data=b"1234", tag=7)
    ((header, data),) = sent(feed(session, image))
    assert (header.reason, data) == (RejectReason.TASK_IN_PROGRESS, image[:48])
    only(feed(session, command(FIRST + 1, tag=8)))


def test_key_command_with_a_tag_in_use_is_rejected() -> None:
    session = logged_in()
    only(feed(session, command(FIRST, tag=7)))
    for data in (b"", b"the key"):
        ((header, _),) = sent(feed(session, command(FIRST + 1, data=data, tag=7, cdb=b"\xb5" + bytes(15))))
        assert header.reason is RejectReason.TASK_IN_PROGRESS


def test_reserved_tag_is_rejected() -> None:
    ((header, _),) = sent(feed(logged_in(), command(tag=NO_TAG)))
    assert header.reason is RejectReason.INVALID_FIELD


# --- answers -------------------------------------------------------------------------------------------------


def read(length: int, **keys: str) -> TargetSession:
    session = logged_in(None, **keys)
    only(feed(session, command(read=True, expected_length=length, cdb=READ6.ljust(16, b"\0"))))
    return session


def test_status_comes_with_the_data_when_it_is_good() -> None:
    session = read(12)
    ((header, data),) = pdus(joined(session.answer(101, 0, b"hello, world")))
    assert header == DataIn(
        final=True,
        with_status=True,
        data_length=12,
        tag=101,
        status_number=1,
        expected_command=2,
        max_command=33,
    )
    assert data == b"hello, world"


@pytest.mark.parametrize("length", [1, 2, 3, 4])
def test_data_in_are_padded(length: int) -> None:
    assert len(joined(read(4).answer(101, 0, b"abcd"[:length]))) == 52


def test_data_are_passed_through_and_not_copied() -> None:
    data = memoryview(bytearray(4096))
    assert read(4096).answer(101, 0, data)[1] is data


def test_sense_follows_the_data_in_a_response_of_its_own() -> None:
    session = read(100)
    (first, data), (last, sense) = pdus(joined(session.answer(101, 2, b"abcd", SENSE)))
    assert (first.with_status, first.final, first.status_number, first.residual, data) == (False, True, 0, 0, b"abcd")
    assert (last.status, last.status_number, last.underflow, last.residual, last.expected_data) == (2, 1, True, 96, 1)
    assert sense == b"\0\x12" + SENSE


@pytest.mark.parametrize("status", [0x02, 0x08, 0x18, 0x28, 0x40])
def test_status_other_than_good_has_its_own_response(status: int) -> None:
    header, data = ended(read(8).answer(101, status))
    assert (header.status, header.underflow, header.residual, data) == (status, True, 8, b"")


@pytest.mark.parametrize(
    ("segment", "burst", "length", "pieces"),
    [
        (512, 1024, 1024, [(0, 512, False), (512, 512, True)]),
        (512, 1024, 1100, [(0, 512, False), (512, 512, True), (1024, 76, True)]),
        (700, 1024, 2048, [(0, 700, False), (700, 324, True), (1024, 700, False), (1724, 324, True)]),
        (4096, 1024, 2050, [(0, 1024, True), (1024, 1024, True), (2048, 2, True)]),
        (4096, 4096, 4096, [(0, 4096, True)]),
    ],
)
def test_data_in_are_cut_by_segment_and_burst(
    segment: int, burst: int, length: int, pieces: list[tuple[int, int, bool]]
) -> None:
    session = read(length, MaxRecvDataSegmentLength=str(segment), MaxBurstLength=str(burst))
    content = os.urandom(length)
    found = pdus(joined(session.answer(101, 0, content)))
    assert [(header.offset, header.data_length, header.final) for header, _ in found] == pieces
    assert [header.data_number for header, _ in found] == list(range(len(pieces)))
    assert [header.with_status for header, _ in found] == [False] * (len(pieces) - 1) + [True]
    assert b"".join(data for _, data in found) == content


RESIDUALS = {  # expected, returned: overflow, underflow
    "exact": (8, 8, 0, 0),
    "too few": (8, 5, 0, 3),
    "none": (8, 0, 0, 8),
    "too many": (8, 20, 12, 0),
    "none expected": (0, 20, 20, 0),
    "neither": (0, 0, 0, 0),
}


@pytest.mark.parametrize(("expected", "returned", "over", "under"), RESIDUALS.values(), ids=RESIDUALS)
@pytest.mark.parametrize("status", [0, 2])
def test_residual_is_exact(expected: int, returned: int, over: int, under: int, status: int) -> None:
    def unit(event: Execute) -> tuple[int, bytes, bytes]:
        assert event.data_in_max == expected
        return status, bytes(returned), b""

    finished = Conversation(unit=unit).begin().command(0, READ6, data_in_max=expected)
    assert (finished.overflow, finished.underflow) == (over, under)
    assert len(finished.data) == min(expected, returned)


@pytest.mark.parametrize(("taken", "over", "under"), [(None, 0, 0), (8, 0, 0), (6, 0, 2), (0, 0, 8), (24, 16, 0)])
def test_residual_of_a_write_is_what_the_cdb_asks_for(taken: int | None, over: int, under: int) -> None:
    session = logged_in()
    feed(session, command(data=b"12345678"))
    header, _ = ended(session.answer(101, 0, taken=taken))
    assert (header.residual * header.overflow, header.residual * header.underflow) == (over, under)


def test_residual_is_the_difference() -> None:
    assert [residual_of(10, wanted) for wanted in (0, 9, 10, 11)] == [(2, 10), (2, 1), (0, 0), (4, 1)]


def test_both_ways_have_their_residuals() -> None:
    session = logged_in()
    image = command(data=b"1234", read=True, additional=pdu.bidirectional_length(100), cdb=b"\x53" + bytes(15))
    event = only(feed(session, image))
    assert (bytes(event.data_out), event.data_in_max) == (b"1234", 100)
    (first, data), (last, _) = pdus(joined(session.answer(101, 0, b"abcde", taken=6)))
    assert (first.with_status, data) == (False, b"abcde")
    assert (last.overflow, last.residual, last.read_underflow, last.read_residual) == (True, 2, True, 95)


def test_data_may_lie_in_the_room_given_for_them() -> None:
    session = logged_in()
    for number in range(FIRST, FIRST + 3):
        event = only(feed(session, command(number, read=True, expected_length=8)))
        event.into[:] = b"in place"
        parts = session.answer(event.tag, 0, event.into)
        only(
            feed(session, command(number + 100, tag=5000 + number, immediate=True, read=True, expected_length=8))
        ).into[:] = b"another!"
        ((_, data),) = pdus(joined(parts))
        assert data == b"in place"


def test_digests_are_on_everything() -> None:
    session = logged_in(None, HeaderDigest="CRC32C", DataDigest="CRC32C")
    image = ScsiCommand(tag=1, command_number=FIRST, read=True, expected_length=6)
    feed(session, joined(pdu.parts(image, digests=(True, True))))
    found = joined(session.answer(1, 0, b"abcdef"))
    assert len(found) == 48 + 4 + 8 + 4
    assert found[48:52] == digest.crc(found[:48])
    assert found[60:] == digest.crc(found[52:60])


def test_answers_after_the_end_are_nothing() -> None:
    session = logged_in()
    feed(session, command())
    (event,) = session.lost()
    assert isinstance(event, Closed)
    assert session.answer(101, 0) == []
    assert not session.wants()


def test_what_is_dropped_of_a_key_command_does_not_stay_in_memory() -> None:
    session = logged_in(None, **OPEN)
    feed(session, command(data=bytes(range(1, 73)), expected_length=20, cdb=b"\xb5".ljust(16, b"\0")))
    assert not any(receiver.SCRATCH)

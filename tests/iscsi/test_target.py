"""A target's session under rubbish: random and spoilt PDUs at every stage of a session, and bytes of any kind."""

import gc
import os
import random
import resource
import time
from collections.abc import Callable
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tapekey.iscsi.config import Config
from tapekey.iscsi.events import Closed
from tapekey.iscsi.target import TargetSession
from tests import told
from tests.iscsi.conversation import LOGIN, PORTAL, TARGET, feed, logged_in, login_request
from tests.iscsi.mutation import OTHERS, REQUESTS, Tally, TargetGame

SOAK: Final = bool(os.environ.get("TAPEKEY_SOAK"))
PDUS: Final = 1_000_000 if SOAK else 20_000
SEED: Final = 7143
GROWTH: Final = 64 * 1024 * 1024  # bytes that the process may have grown by, however many sessions there were


def resident() -> int:
    """Bytes of this process that lie in memory now."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()


@pytest.mark.long
def test_rubbish_is_rejected_or_closes_and_takes_no_memory(record_property: Callable[[str, object], None]) -> None:
    tally, chance = Tally(), random.Random(SEED)
    gc.collect()
    before, began = resident(), time.monotonic()
    while tally.pdus < PDUS:
        tally.sessions += 1
        TargetGame(chance, tally).play(chance.choice((5, 20, 200)))
    grown = resident() - before
    record_property(
        told.PROPERTY,
        f"spoilt PDUs at a target: {tally.pdus} in {tally.sessions} sessions, of which {tally.logins} were logged in; "
        f"{tally.replies} answers, {tally.executed} commands, {tally.closed} closed; seed {SEED}, "
        f"{time.monotonic() - began:.0f} s, {grown // 1024} KiB more memory",
    )
    assert grown < GROWTH
    # the game is worth nothing if all of it is turned away at the door
    assert min(tally.logins, tally.executed, tally.managed, tally.closed) > tally.pdus // 50
    assert tally.replies > tally.pdus // 4


@settings(deadline=None)
@given(st.binary(max_size=2000), st.integers(0, 60))
def test_any_bytes_are_answered_or_close(data: bytes, step: int) -> None:
    session = TargetSession(Config(TARGET), portal=PORTAL, tsih=7, now=0.0)
    events = feed(session, data, step)
    assert not session.logged_in
    assert sum(isinstance(event, Closed) for event in events) <= 1


@settings(deadline=None)
@given(st.lists(st.sampled_from(REQUESTS) | st.binary(max_size=200), max_size=12), st.integers(0, 60))
def test_how_the_stream_is_cut_changes_nothing(images: list[bytes], step: int) -> None:
    stream = b"".join(images)

    def outcome(size: int) -> list[str]:
        return [type(event).__name__ + str(getattr(event, "parts", "")) for event in feed(logged_in(), stream, size)]

    assert outcome(step) == outcome(0)


def test_what_follows_the_login_in_one_piece_is_full_feature_already() -> None:
    session = TargetSession(Config(TARGET), portal=PORTAL, tsih=7, now=0.0)
    events = feed(session, login_request(LOGIN) + OTHERS[-6])
    assert [type(event).__name__ for event in events] == ["LoggedIn", "Send"]


def test_unauthenticated_peer_gets_no_more_than_a_login_takes() -> None:
    session = TargetSession(Config(TARGET), portal=PORTAL, tsih=7, now=0.0)
    feed(session, login_request(LOGIN)[:48])
    assert len(session.wants()) <= 8192
    assert session.wants().nbytes < 16384


def test_nothing_is_taken_after_the_end() -> None:
    session = logged_in()
    assert session.lost() == [Closed("the peer closed the connection")]
    assert session.took(0) == session.lost() == session.wake(1e9) == []
    assert session.ask_logout(1) == session.announce_drop() == []
    assert session.answer(1, 0) == []

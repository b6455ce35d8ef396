"""The way in through the tape driver: it sees each cartridge first, the node stays held, and nothing is guessed."""

import errno

import pytest

from tapekey.errors import TransportFailed
from tapekey.exchange import Command, Reply, Transport
from tapekey.scsi import media
from tapekey.service.door import Presence, Sight
from tapekey.service.tape_node import TapeNode
from tapekey.transport import tape_driver
from tests.service import st_driver
from tests.service.st_driver import UNKNOWN, StDriver

BOTH = pytest.mark.parametrize("counts", [False, True], ids=["before 6.15", "since 6.15"])


@BOTH
def test_look_lets_the_driver_see_the_cartridge_and_sends_nothing(
    counts: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    st = StDriver(counts)
    entry = st_driver.door(st, monkeypatch)
    assert entry.look() == Sight(Presence.EMPTY)
    st.insert()
    assert entry.look() == Sight(Presence.LOADED)
    assert st.events == ["open", "close", "open", "close"]
    assert (st.position, entry.held) == (0, False)


@BOTH
def test_held_node_stays_held_from_empty_to_a_cartridge_that_the_driver_has_seen(
    counts: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    st = StDriver(counts)
    entry = st_driver.door(st, monkeypatch)
    assert entry.shut()
    seen = [entry.look().presence]
    st.settle()
    seen.append(entry.look().presence)
    st.insert()
    seen += [entry.look().presence, entry.look().presence]
    assert seen == [Presence.EMPTY, Presence.SETTLING, Presence.LOADED, Presence.LOADED]
    assert "close" not in st.events
    assert st.events.count("load") == 1
    assert (st.online, st.position, st.holder) == (True, 0, "us")


@BOTH
def test_second_cartridge_in_one_hold_is_seen_too(counts: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    st = StDriver(counts)
    entry = st_driver.door(st, monkeypatch)
    entry.shut()
    for _ in range(3):
        st.insert()
        assert entry.look().presence is Presence.LOADED
        assert (st.online, st.position) == (True, 0)
        st.position = 2
        st.answer = st_driver.EMPTY
        assert entry.look().presence is Presence.EMPTY
    assert "close" not in st.events


def test_nothing_is_loaded_on_suspicion(monkeypatch: pytest.MonkeyPatch) -> None:
    """It was not ready, and is ready again: nobody said that there is another cartridge, so nothing may move it."""
    st = StDriver(answer=st_driver.SETTLING, none=False)
    entry = st_driver.door(st, monkeypatch)
    entry.shut()
    st.answer = st_driver.READY
    assert entry.look().presence is Presence.LOADED
    assert "load" not in st.events
    assert "rewind" not in st.events
    assert st.events[-2:] == ["close", "open"]


def test_cartridge_in_use_is_not_moved_by_holding_and_looking(monkeypatch: pytest.MonkeyPatch) -> None:
    st = StDriver(answer=st_driver.READY, online=True, none=False, position=7)
    entry = st_driver.door(st, monkeypatch)
    assert entry.shut()
    assert [entry.look().presence for _ in range(3)] == [Presence.LOADED] * 3
    entry.release()
    assert st.position == 7
    assert set(st.events) == {"open", "close", "00"}


def test_driver_that_cannot_be_made_to_look_is_let_look_by_an_open(monkeypatch: pytest.MonkeyPatch) -> None:
    st = StDriver()
    entry = st_driver.door(st, monkeypatch)
    entry.shut()
    entry.look()
    st.insert()
    monkeypatch.setattr(tape_driver, "operate", failing)
    assert entry.look().presence is Presence.LOADED
    assert st.events[-2:] == ["close", "open"]
    assert st.position == 0


def failing(handle: int, operation: bytes) -> None:
    raise OSError(errno.EIO, "position lost")


def test_who_slips_in_while_it_is_let_go_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    st = StDriver(slips_in="a backup")
    entry = st_driver.door(st, monkeypatch)
    entry.shut()
    entry.look()
    st.insert()
    monkeypatch.setattr(tape_driver, "operate", failing)
    assert entry.look().presence is Presence.HELD
    assert not entry.held


def test_driver_that_sets_a_block_size_for_each_cartridge_is_told_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would not set it for a cartridge that a command of ours was told of: then the node is let go now and then."""
    now = [0.0]
    st = StDriver(counts=False)
    entry = st_driver.door(st, monkeypatch, sets_defaults=True, pause=5.0, clock=lambda: now[0])
    entry.shut()
    st.insert()
    assert entry.look().presence is Presence.EMPTY  # it was looked at just now
    now[0] = 5.0
    assert entry.look().presence is Presence.LOADED
    assert st.events == ["open", "close", "open"]
    assert st.position == 0


def test_driver_that_counts_may_be_told_later_whatever_it_sets(monkeypatch: pytest.MonkeyPatch) -> None:
    st = StDriver(counts=True)
    entry = st_driver.door(st, monkeypatch, sets_defaults=True)
    entry.shut()
    st.insert()
    assert entry.look().presence is Presence.LOADED
    assert "close" not in st.events


# --- what is not known ---


@pytest.mark.parametrize("number", [errno.EIO, errno.ENXIO, errno.EACCES, errno.ENOENT], ids=errno.errorcode.get)
def test_node_that_cannot_be_opened_is_unknown_and_never_empty(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    st = StDriver(refused=number)
    entry = st_driver.door(st, monkeypatch)
    sight = entry.look()
    assert sight.presence is Presence.UNKNOWN
    assert sight.why
    with pytest.raises(TransportFailed, match="/dev/nst0 cannot be held"):
        entry.shut()


def test_drive_that_gives_no_plain_answer_is_unknown_and_never_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    st = StDriver()
    entry = st_driver.door(st, monkeypatch)
    entry.shut()
    st.answer = st_driver.BROKEN
    assert entry.look().presence is Presence.UNKNOWN


def test_drive_that_does_not_answer_is_unknown_and_never_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    class Mute:
        def execute(self, command: Command) -> Reply:
            raise TransportFailed("no answer")

    st = StDriver()
    st_driver.door(st, monkeypatch)
    entry = TapeNode("/dev/nst0", lambda: st_driver.reach(Mute()), nodes=st)
    entry.shut()
    assert entry.look() == Sight(Presence.UNKNOWN, "no answer")


def test_held_by_another_is_told_and_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    st = StDriver(holder="a backup")
    entry = st_driver.door(st, monkeypatch)
    assert entry.look() == Sight(Presence.HELD)
    assert not entry.shut()
    assert not entry.held
    assert st.events == []


def test_driver_that_lost_the_position_is_asked_about_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """MTIOCGET fails then, until somebody rewinds: that there is a cartridge, the drive says."""
    st = StDriver(answer=st_driver.READY, online=True, none=False)
    entry = st_driver.door(st, monkeypatch)

    def lost(handle: int) -> int:
        raise OSError(errno.EIO, "position lost")

    monkeypatch.setattr(tape_driver, "general_status", lost)
    assert entry.look().presence is Presence.LOADED
    assert "rewind" not in st.events
    assert "load" not in st.events


def test_attentions_that_a_look_was_told_are_handed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    st = StDriver(answer=st_driver.READY, online=True, none=False)
    entry = st_driver.door(st, monkeypatch)
    entry.shut()
    st.attentions = [st_driver.KEY_CHANGED]
    assert entry.look() == Sight(Presence.LOADED, met=("6/2A/11",))


# --- beside commands of ours ---


@BOTH
def test_commands_of_ours_in_our_own_hold_find_the_driver_told(counts: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """EBUSY from our own hold would be taken for another's, who looked when he opened it: not at this cartridge."""
    st = StDriver(counts)
    entry = st_driver.door(st, monkeypatch)
    entry.shut()
    st.insert()
    with tape_driver.beside(st, entry) as transport:
        send(transport, media.test_unit_ready())
        assert (st.online, st.position) == (True, 0)
        st.position = UNKNOWN
        send(transport, media.rewind())
    assert st.position == 0
    assert st.events[-1] == "rewind"
    assert "close" not in st.events


def test_commands_of_ours_without_a_hold_let_the_driver_look_first(monkeypatch: pytest.MonkeyPatch) -> None:
    st = StDriver(counts=False)
    entry = st_driver.door(st, monkeypatch)
    st.insert()
    with tape_driver.beside(st, entry) as transport:
        send(transport, media.rewind())
        send(transport, media.test_unit_ready())
    assert st.events == ["open", "close", "01", "00", "open", "rewind", "close"]
    assert st.position == 0


def test_empty_drive_is_not_rewound(monkeypatch: pytest.MonkeyPatch) -> None:
    st = StDriver()
    entry = st_driver.door(st, monkeypatch)
    entry.shut()
    entry.rewind()
    assert st.events == ["open"]


def send(transport: Transport, command: Command) -> None:
    transport.execute(command)

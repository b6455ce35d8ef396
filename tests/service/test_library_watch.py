"""What a library says of its drives: asked seldom, never during an announced move, and its failures harm nobody."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import pytest

from tapekey.drive import in_library
from tapekey.drive.identity import DriveId
from tapekey.drive.in_library import Bay
from tapekey.errors import DeviceError, TransportFailed
from tapekey.exchange import Command, Reply, Transport
from tapekey.scsi.changer_status import DriveName
from tapekey.scsi.vital import CodeSet, DesignatorType
from tapekey.service import library_watch
from tapekey.service.library_watch import Bays

FIRST = DriveId("IBM", "ULT3580-TD8", "10WT012345", bytes.fromhex("5000e11155667788"))
SECOND = DriveId("IBM", "ULT3580-TD8", "10WT012346", bytes.fromhex("5000e11155667789"))
EMPTY = Bay("LIB", 256, full=False, barcode="")
FULL = Bay("LIB", 256, full=True, barcode="ENC001L8")


class Nobody:
    def execute(self, command: Command) -> Reply:
        raise AssertionError("what it tells is put in its place")


@dataclass
class Library:
    """What the changer tells, or why it does not; `asked` counts."""

    told: tuple[Bay, ...] = (EMPTY,)
    fails: DeviceError | TransportFailed | None = None
    asked: int = 0
    now: float = 100.0
    answering: threading.Event = field(default_factory=threading.Event)

    def bays(self, transport: Transport) -> tuple[Bay, ...]:
        self.asked += 1
        if self.fails:
            raise self.fails
        return self.told


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> Library:
    found = Library()
    monkeypatch.setattr(in_library, "bays", found.bays)
    return found


@contextmanager
def reach() -> Iterator[Transport]:
    yield Nobody()


def watched(library: Library) -> Bays:
    return Bays(reach, spacing=10.0, clock=lambda: library.now)


def test_what_changed_is_told_once(library: Library) -> None:
    bays = watched(library)
    told = []
    for each in ((EMPTY,), (EMPTY,), (FULL,), (FULL,), (replace(FULL, barcode="ENC002L8"),), (EMPTY,)):
        library.told = each
        told.append(bays.ask())
        library.now += 10.0
    assert told == [(EMPTY,), (), (FULL,), (), (replace(FULL, barcode="ENC002L8"),), (EMPTY,)]


def test_it_is_not_asked_more_often_than_the_spacing(library: Library) -> None:
    bays = watched(library)
    for _ in range(100):
        bays.ask()
        library.now += 1.0
    assert library.asked == 10


def test_nothing_is_asked_while_a_move_is_announced(library: Library) -> None:
    bays = watched(library)
    bays.ask()
    bays.hush(60.0)
    bays.hush(5.0)  # of another drive: the longer one holds
    library.now += 59.0
    assert bays.ask() == ()
    assert library.asked == 1
    library.now += 1.0
    bays.ask()
    assert library.asked == 2


def test_end_of_the_move_may_be_told_and_the_spacing_still_holds(library: Library) -> None:
    bays = watched(library)
    bays.ask()
    bays.hush(600.0)
    library.now += 4.0
    bays.hush(0.0)
    assert bays.wait() == 6.0
    library.now += 6.0
    library.told = (FULL,)
    assert bays.ask() == (FULL,)


def test_announcement_that_nobody_ends_ends_by_itself(library: Library) -> None:
    bays = watched(library)
    bays.hush(1e9)
    library.now += library_watch.LONGEST_HUSH
    assert bays.ask() == (EMPTY,)


@pytest.mark.parametrize("error", [DeviceError("refused"), TransportFailed("gone")], ids=["device", "transport"])
def test_changer_that_fails_says_nothing_of_any_drive(
    library: Library, error: DeviceError, caplog: pytest.LogCaptureFixture
) -> None:
    bays = watched(library)
    library.told = (FULL,)
    bays.ask()
    library.fails = error
    for _ in range(3):
        library.now += 10.0
        assert bays.ask() == ()
    assert bays.why == str(error)
    assert len(caplog.records) == 1
    assert bays.known == {256: FULL}
    library.fails, library.now = None, library.now + 10.0
    assert (bays.ask(), bays.why) == ((), "")


def test_who_announces_a_move_waits_for_the_question_on_its_way(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    begun = threading.Event()

    def slowly(transport: Transport) -> tuple[Bay, ...]:
        begun.set()
        library.answering.wait(5)
        order.append("answered")
        return (EMPTY,)

    monkeypatch.setattr(in_library, "bays", slowly)
    bays = watched(library)
    asking = threading.Thread(target=bays.ask)
    asking.start()
    begun.wait(5)

    def move() -> None:
        bays.hush(60.0)
        order.append("moves")

    moving = threading.Thread(target=move)
    moving.start()
    library.answering.set()
    asking.join(5)
    moving.join(5)
    assert order == ["answered", "moves"]


def named(bay: Bay, drive: DriveId) -> Bay:
    return replace(bay, name=DriveName(CodeSet.ASCII, DesignatorType.VENDOR_SPECIFIC, drive.serial.encode()))


# fmt: off
PLACES: dict[str, tuple[Bay, tuple[DriveId, ...], int, DriveId | None]] = {
    "by its name":                        (named(FULL, SECOND), (FIRST, SECOND), 2, SECOND),
    "a drive that is not ours":           (named(FULL, SECOND), (FIRST,),        1, None),
    "no name, one drive, one place":      (FULL,                (FIRST,),        1, FIRST),
    "no name, one drive, two places":     (FULL,                (FIRST,),        2, None),
    "no name, two drives, one place":     (FULL,                (FIRST, SECOND), 1, None),
}
# fmt: on


@pytest.mark.parametrize(("bay", "drives", "places", "whose"), PLACES.values(), ids=PLACES)
def test_whose_place_it_is_is_never_guessed(
    bay: Bay, drives: tuple[DriveId, ...], places: int, whose: DriveId | None
) -> None:
    assert library_watch.drive_of(bay, drives, places) == whose


def test_thread_asks_and_tells_until_it_is_ended(library: Library) -> None:
    told: list[Bay] = []
    heard = threading.Event()

    def tell(bay: Bay) -> None:
        told.append(bay)
        heard.set()

    with library_watch.follow(Bays(reach, spacing=0.01), tell):
        assert heard.wait(5)
        heard.clear()
        library.told = (FULL,)
        assert heard.wait(5)
    asked = library.asked
    assert told == [EMPTY, FULL]
    assert not [thread for thread in threading.enumerate() if thread.name == "library"]
    assert library.asked == asked

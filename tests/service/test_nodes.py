"""Opens and closes as the kernel tells them of real files: others' are told, ours are not, from whatever thread."""

import os
import struct
import threading
from collections.abc import Iterator
from pathlib import Path
from select import select

import pytest

from tapekey.service import nodes
from tapekey.service.events import Cause
from tapekey.service.nodes import Nodes

pytest.importorskip("tapekey.native")
IN, OUT = Cause.OPENED, Cause.CLOSED


@pytest.fixture
def watched() -> Iterator[Nodes]:
    with nodes.follow() as found:
        assert found.why == ""
        yield found


@pytest.fixture
def node(tmp_path: Path, watched: Nodes) -> str:
    (tmp_path / "nst0").touch()
    watched.watch(str(tmp_path / "nst0"))
    return str(tmp_path / "nst0")


def readable(watched: Nodes) -> bool:
    return bool(select([watched.descriptor], [], [], 0)[0])


def used_by_another(node: str, flags: int = os.O_RDWR) -> None:
    os.close(os.open(node, flags))


@pytest.mark.parametrize("flags", [os.O_RDONLY, os.O_RDWR], ids=["to read", "to write"])
def test_open_and_close_of_another_are_told(watched: Nodes, node: str, flags: int) -> None:
    used_by_another(node, flags)
    assert readable(watched)
    assert watched.receive() == [(node, IN), (node, OUT)]
    assert not readable(watched)


def test_our_own_are_not(watched: Nodes, node: str) -> None:
    for _ in range(50):
        watched.close(node, watched.open(node))
    assert not readable(watched)
    assert watched.receive() == []


def test_what_was_read_beside_ours_makes_the_descriptor_readable(watched: Nodes, node: str) -> None:
    used_by_another(node)
    handle = watched.open(node)
    assert readable(watched)
    assert watched.receive() == [(node, IN), (node, OUT)]
    watched.close(node, handle)
    assert watched.receive() == []


def test_node_that_is_not_there_is_said_as_the_system_says_it(watched: Nodes, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        watched.open(str(tmp_path / "nst9"))
    assert watched.receive() == []


def test_node_made_anew_is_watched_again(watched: Nodes, node: str) -> None:
    os.unlink(node)
    Path(node).touch()
    watched.watch(node)
    watched.receive()
    used_by_another(node)
    assert watched.receive() == [(node, IN), (node, OUT)]


def test_threads_with_a_node_each_tell_nobody_of_their_own(watched: Nodes, tmp_path: Path) -> None:
    places = [str(tmp_path / f"nst{number}") for number in range(4)]
    for place in places:
        Path(place).touch()

    def opens_and_closes(place: str) -> None:
        for _ in range(100):
            watched.close(place, watched.open(place))

    threads = [threading.Thread(target=opens_and_closes, args=(place,)) for place in places]
    for thread in threads:
        thread.start()
    told = []
    while any(thread.is_alive() for thread in threads):
        told += watched.receive()
    assert told + watched.receive() == []


def test_overflow_is_a_close_of_every_node(node: str) -> None:
    reading, writing = os.pipe2(os.O_NONBLOCK)
    watched = Nodes(reading, lambda *_: 7)
    watched.watch(node)
    os.write(writing, struct.pack("iIII", 7, nodes.OPEN, 0, 0) + struct.pack("iIII", -1, nodes.OVERFLOW, 0, 0))
    assert watched.receive() == [(node, OUT)]
    watched.end()
    os.close(writing)


def test_names_and_nodes_that_went_are_stepped_over() -> None:
    named = struct.pack("iIII", 1, nodes.OPEN, 0, 16) + b"name".ljust(16, b"\0")
    assert list(nodes.events(named + struct.pack("iIII", 2, nodes.IGNORED, 0, 0))) == [(1, 0x20), (2, 0x8000)]


def test_without_inotify_nothing_is_told_and_that_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tapekey.native import lib

    class Refusing:
        notify_watch = lib.notify_watch

        @staticmethod
        def notify_open() -> int:
            return -24

    monkeypatch.setattr("tapekey.native.lib", Refusing())
    (tmp_path / "nst0").touch()
    with nodes.follow() as watched:
        assert watched.why == "inotify: Too many open files"
        watched.close(str(tmp_path / "nst0"), watched.open(str(tmp_path / "nst0")))
        assert watched.receive() == []
        assert not select([watched.descriptor], [], [], 0)[0]

"""The line of those that write: who came first is served first, and nobody is forgotten."""

import threading
from collections.abc import Callable

from tapekey.service.queueing import Line
from tests.service.crew import until


def _waiting(line: Line, many: int) -> Callable[[], bool]:
    return lambda: len(line._waiting) == many


def test_who_came_first_is_served_first_and_who_lets_go_comes_last() -> None:
    line, served = Line(), list[str]()

    def stand(name: str) -> None:
        assert line.acquire(10.0)
        served.append(name)
        line.release()

    assert line.acquire(0.0)
    threads = []
    for place, name in enumerate(("first", "second", "third"), start=1):
        threads.append(threading.Thread(target=stand, args=(name,)))
        threads[-1].start()
        until(_waiting(line, place))
    line.release()
    assert line.acquire(10.0)
    served.append("who let go")
    line.release()
    for thread in threads:
        thread.join(10.0)
    assert served == ["first", "second", "third", "who let go"]


def test_who_gives_up_has_left_the_line() -> None:
    line = Line()
    assert line.acquire(0.0)
    assert not line.acquire(0.01)
    line.release()
    assert line.acquire(0.0)


def test_one_at_a_time_is_served() -> None:
    line, inside, most = Line(), [0], [0]

    def write() -> None:
        for _ in range(50):
            assert line.acquire(10.0)
            inside[0] += 1
            most[0] = max(most[0], inside[0])
            inside[0] -= 1
            line.release()

    threads = [threading.Thread(target=write) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10.0)
    assert most == [1]
    assert line.acquire(0.0)

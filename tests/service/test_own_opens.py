"""Which opens and closes of a node are ours: by their order alone, in every order in which they can come."""

from itertools import product

import pytest

from tapekey.service.events import Cause
from tapekey.service.own_opens import OwnOpens

NODE, OTHER = "/dev/nst0", "/dev/nst1"
IN, OUT = Cause.OPENED, Cause.CLOSED


def told(own: OwnOpens, *causes: Cause, path: str = NODE) -> None:
    for cause in causes:
        own.tell(path, cause)


def test_what_others_do_is_told_in_its_order() -> None:
    own = OwnOpens()
    told(own, IN, OUT)
    told(own, IN, path=OTHER)
    assert own.take() == [(NODE, IN), (NODE, OUT), (OTHER, IN)]
    assert own.take() == []


@pytest.mark.parametrize(("before", "inside", "after"), list(product(range(3), repeat=3)))
def test_ours_alone_is_left_out(before: int, inside: int, after: int) -> None:
    """Others come and go before we begin, while we wait to be let in, and as soon as we have let go."""
    own = OwnOpens()
    told(own, *[IN, OUT] * before)
    own.begin(NODE)
    told(own, *[IN, OUT] * inside, IN)
    own.opened(NODE)
    own.begin(NODE)
    told(own, OUT, *[IN, OUT] * after)
    own.closed(NODE)
    assert own.take() == [(NODE, IN), (NODE, OUT)] * (before + inside + after)


def test_close_of_another_before_ours_is_not_taken_for_ours() -> None:
    own = OwnOpens()
    own.begin(NODE)
    told(own, OUT, IN)  # it was in when we began
    own.opened(NODE)
    assert own.take() == [(NODE, OUT)]
    own.begin(NODE)
    told(own, OUT, IN)
    own.closed(NODE)
    assert own.take() == [(NODE, IN)]


def test_nothing_of_a_node_is_told_while_it_is_not_settled_whose_it_is() -> None:
    own = OwnOpens()
    own.begin(NODE)
    told(own, IN)
    told(own, IN, path=OTHER)
    assert own.take() == [(OTHER, IN)]
    own.opened(NODE)
    assert own.take() == []


def test_refused_open_leaves_what_others_did() -> None:
    own = OwnOpens()
    told(own, IN)
    own.begin(NODE)
    told(own, OUT, IN)
    own.end(NODE)
    assert own.take() == [(NODE, IN), (NODE, OUT), (NODE, IN)]


def test_node_not_yet_watched_when_we_opened_it_costs_nobody_an_event() -> None:
    own = OwnOpens()
    own.begin(NODE)
    own.opened(NODE)
    told(own, OUT)
    assert own.take() == [(NODE, OUT)]


def test_lost_events_are_a_close_of_every_node() -> None:
    own = OwnOpens()
    told(own, IN)
    own.lose((NODE, OTHER))
    assert own.take() == [(NODE, OUT), (OTHER, OUT)]


def test_lost_events_are_not_taken_for_our_own_close() -> None:
    """Ours is among the lost ones."""
    own = OwnOpens()
    own.begin(NODE)
    own.lose((NODE,))
    own.closed(NODE)
    assert own.take() == [(NODE, OUT)]

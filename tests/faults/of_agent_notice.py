"""Faults in how the agent notices cartridges and other programs, and keeps them out meanwhile."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from tapekey.service import own_nexus
from tapekey.service.door import Presence, Sight
from tapekey.service.library_watch import Bays
from tapekey.service.own_opens import OwnOpens
from tapekey.service.tape_node import TapeNode
from tests.faults.fault import Fault, other, replaced, skipped

_NODE = "tests/service/test_tape_node.py::"
_HELD = _NODE + "test_held_node_stays_held_from_empty_to_a_cartridge_that_the_driver_has_seen"
_OPENS = "tests/service/test_own_opens.py::"
_LIBRARY = "tests/service/test_library_watch.py::"


def _empty_if_unknown(shipped: Callable[..., Sight], *drive: object) -> Sight:
    sight = shipped(*drive)
    return replace(sight, presence=Presence.EMPTY) if sight.presence is Presence.UNKNOWN else sight


# fmt: off
FAULTS: Final[dict[str, Fault]] = {
    "a cartridge is asked for before the tape driver knows it": Fault(
        skipped(TapeNode, "_tell", Sight(Presence.LOADED)),
        _HELD + "[before 6.15]",
        "lets TEST UNIT READY take the news of a cartridge that the tape driver then never hears of",
    ),
    "the gate is opened to look": Fault(
        other(TapeNode, "_tell", TapeNode._reopen),
        _HELD + "[since 6.15]",
        "lets the node go between load and key, for whoever waits for that",
    ),
    "a cartridge is loaded on suspicion": Fault(
        other(TapeNode, "_reopen", TapeNode._tell),
        _NODE + "test_nothing_is_loaded_on_suspicion",
        "sends LOAD where nobody said that a cartridge has come, and moves the tape of a job",
    ),
    "our own hold is another's": Fault(
        skipped(TapeNode, "seen", True),
        _NODE + "test_commands_of_ours_in_our_own_hold_find_the_driver_told",
        "takes EBUSY from its own hold for a look of the tape driver at this cartridge",
    ),
    "unknown is empty": Fault(
        replaced(own_nexus, "ask", _empty_if_unknown),
        _NODE + "test_drive_that_gives_no_plain_answer_is_unknown_and_never_empty",
        "takes a drive that cannot be asked for an empty one",
    ),
    "our own close is another's": Fault(
        other(OwnOpens, "closed", OwnOpens.end),
        _OPENS + "test_ours_alone_is_left_out[0-0-0]",
        "takes its own close of a node for the end of a backup",
    ),
    "lost events are nobody's": Fault(
        replaced(OwnOpens, "end", lambda shipped, *args: shipped(*args) and 0),
        _OPENS + "test_lost_events_are_not_taken_for_our_own_close",
        "never hears of what was done to a node while events were lost",
    ),
    "the changer is asked during a move": Fault(
        skipped(Bays, "hush"),
        _LIBRARY + "test_nothing_is_asked_while_a_move_is_announced",
        "asks the changer while its arm is on its way",
    ),
}
# fmt: on

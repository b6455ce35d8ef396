"""A drive on a nexus of our own: asked by TEST UNIT READY, and what it does not say plainly is not known."""

import pytest

from tapekey.exchange import Command, Reply
from tapekey.service.door import Presence, Sight
from tapekey.service.own_nexus import OwnNexus
from tests.service.st_driver import BROKEN, EMPTY, KEY_CHANGED, NEW_MEDIUM, READY, SETTLING, check

# fmt: off
ANSWERS = {
    "ready":                   ([READY], Sight(Presence.LOADED)),
    "empty":                   ([EMPTY], Sight(Presence.EMPTY)),
    "becoming ready":          ([SETTLING], Sight(Presence.SETTLING)),
    "cleaning":                ([check(2, 0x30, 0x03)], Sight(Presence.SETTLING)),
    "seated, not loaded":      ([check(2, 0x04, 0x02)], Sight(Presence.EMPTY)),
    "ejected, memory in reach": ([check(2, 0x3A, 0x04)], Sight(Presence.EMPTY)),
    "new medium":              ([NEW_MEDIUM, READY], Sight(Presence.LOADED, met=("6/28/00",))),
    "key changed by another":  ([KEY_CHANGED, EMPTY], Sight(Presence.EMPTY, met=("6/2A/11",))),
}
UNKNOWN = {
    "hardware":                [BROKEN],
    "medium":                  [check(3, 0x30, 0x00)],
    "not ready, new reason":   [check(2, 0x4C, 0x00)],
    "attentions without end":  [KEY_CHANGED] * 20,
    "busy":                    [Reply(8)],
    "no sense":                [Reply(2)],
}
# fmt: on


class Drive:
    def __init__(self, answers: list[Reply]) -> None:
        self.answers = list(answers)

    def execute(self, command: Command) -> Reply:
        assert command.cdb == bytes(6)
        return self.answers.pop(0)


@pytest.mark.parametrize(("answers", "sight"), ANSWERS.values(), ids=ANSWERS)
def test_look_is_what_the_drive_says(answers: list[Reply], sight: Sight) -> None:
    assert OwnNexus(Drive(answers)).look() == sight


@pytest.mark.parametrize("answers", UNKNOWN.values(), ids=UNKNOWN)
def test_what_is_no_plain_answer_is_unknown_and_never_empty(answers: list[Reply]) -> None:
    sight = OwnNexus(Drive(answers)).look()
    assert sight.presence is Presence.UNKNOWN
    assert sight.why


def test_another_reason_of_becoming_ready_is_waited_for() -> None:
    assert OwnNexus(Drive([check(2, 0x04, 0x07)])).look().presence is Presence.SETTLING


def test_it_is_shut_for_us_alone() -> None:
    door = OwnNexus(Drive([]))
    assert not door.keeps_others_out
    assert door.shut()
    assert door.held
    door.release()
    assert not door.held

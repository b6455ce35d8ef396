"""Which row of the table a cartridge belongs to."""

import pytest

from tapekey.policy.facts import CartridgeFacts, CartridgeKind, Contents, KeyFacts, KeyState, Match
from tapekey.policy.situation import Situation, situation

CASES = {
    "a torn envelope is no planted one": (
        Contents.ENCRYPTED,
        KeyFacts(KeyState.ACTIVE, Match.TORN, Match.CURRENT),
        Situation.OURS,
    ),
    "an older envelope is a replay": (
        Contents.ENCRYPTED,
        KeyFacts(KeyState.ACTIVE, Match.OLDER, Match.CURRENT),
        Situation.PLANTED,
    ),
    "an older envelope beside a prepared key is an unfinished change": (
        Contents.BLANK,
        KeyFacts(KeyState.PREPARED, Match.OLDER, Match.ABSENT),
        Situation.FRESH_KEY,
    ),
    "our envelope over somebody else's blocks": (
        Contents.ENCRYPTED,
        KeyFacts(KeyState.ACTIVE, Match.CURRENT, Match.FOREIGN),
        Situation.FOREIGN,
    ),
    "no encrypted block is not blank": (
        Contents.CLEAR,
        KeyFacts(KeyState.NONE, Match.ABSENT, Match.ABSENT),
        Situation.CLEAR,
    ),
    "unknown is not scratch": (
        Contents.UNKNOWN,
        KeyFacts(KeyState.NONE, Match.ABSENT, Match.ABSENT),
        Situation.UNKNOWN,
    ),
}


@pytest.mark.parametrize(("contents", "key", "row"), CASES.values(), ids=CASES)
def test_situation(contents: Contents, key: KeyFacts, row: Situation) -> None:
    cartridge = CartridgeFacts(CartridgeKind.DATA, write_protected=False, contents=contents, votes_agree=True)
    assert situation(cartridge, key) is row

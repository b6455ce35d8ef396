"""The decision table as an operator asks for it: a few named situations, decided under one rule."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

from tapekey.policy.decide import decide
from tapekey.policy.decision import Decision
from tapekey.policy.facts import (
    CartridgeFacts,
    CartridgeKind,
    Contents,
    DriveFacts,
    Facts,
    Guard,
    Intent,
    KeyFacts,
    KeyState,
    Management,
    Match,
    Parameters,
    Rule,
)

_DRIVE: Final = DriveFacts(
    approved=True,
    hands_off=False,
    virtual=False,
    virtual_allowed=False,
    management=Management.APPLICATION,
    parameters=Parameters.NONE,
    guards=frozenset(Guard),
)


def _cartridge(contents: Contents, *, write_protected: bool = False) -> CartridgeFacts:
    return CartridgeFacts(CartridgeKind.DATA, write_protected, contents, votes_agree=True)


_NO_KEY: Final = KeyFacts(KeyState.NONE, Match.ABSENT, Match.ABSENT)
_EXAMPLES: Final[dict[str, tuple[CartridgeFacts, KeyFacts]]] = {
    "blank": (_cartridge(Contents.BLANK), _NO_KEY),
    "declared scratch": (
        _cartridge(Contents.CLEAR),
        KeyFacts(KeyState.NONE, Match.ABSENT, Match.ABSENT, scratch=True),
    ),
    "ours, key active": (
        _cartridge(Contents.ENCRYPTED),
        KeyFacts(KeyState.ACTIVE, Match.CURRENT, Match.CURRENT),
    ),
    "ours, key read-only": (
        _cartridge(Contents.ENCRYPTED),
        KeyFacts(KeyState.READ_ONLY, Match.CURRENT, Match.CURRENT),
    ),
    "envelope differs from the record": (
        _cartridge(Contents.ENCRYPTED),
        KeyFacts(KeyState.ACTIVE, Match.DIFFERS, Match.CURRENT),
    ),
    "encrypted by someone else": (
        _cartridge(Contents.ENCRYPTED),
        KeyFacts(KeyState.NONE, Match.ABSENT, Match.FOREIGN),
    ),
    "clear data": (_cartridge(Contents.CLEAR), _NO_KEY),
    "clear behind encrypted": (_cartridge(Contents.MIXED), _NO_KEY),
    "unknown": (_cartridge(Contents.UNKNOWN), _NO_KEY),
    "write-protected": (_cartridge(Contents.BLANK, write_protected=True), _NO_KEY),
}


def examples(
    rule: Rule, intent: Intent = Intent.SAVE, guards: Iterable[Guard] = Guard
) -> Iterator[tuple[str, Decision]]:
    """Each situation with what is decided in it, for an approved drive with these guards."""
    drive = replace(_DRIVE, guards=frozenset(guards))
    for name, (cartridge, key) in _EXAMPLES.items():
        yield name, decide(Facts(intent, rule, drive, cartridge, key))

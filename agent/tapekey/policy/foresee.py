"""What `require` would say to a cartridge that was only looked at, before anyone switches it on.

Nothing was touched for it, so two things are supposed: blocks whose envelope is the one on record are under its key,
and what seems blank is. Both are found out when the cartridge is really made ready.
"""

from dataclasses import dataclass, replace

from tapekey.policy.decide import decide
from tapekey.policy.decision import Decision
from tapekey.policy.facts import (
    CartridgeFacts,
    Contents,
    DriveFacts,
    Facts,
    Guard,
    Intent,
    KeyFacts,
    Management,
    Match,
    Rule,
    Stance,
)

OWN_GUARDS = frozenset({Guard.DRIVE, Guard.PARKED})


def foresee(rule: Rule, drive: DriveFacts, cartridge: CartridgeFacts, key: KeyFacts) -> Decision:
    """Decide a save as if the rule that holds were `require`."""
    encrypted = cartridge.contents is Contents.ENCRYPTED
    unseen = encrypted and key.kad is Match.ABSENT and key.envelope in (Match.CURRENT, Match.STRANGER)
    supposed = replace(key, kad=key.envelope) if unseen else key
    return decide(Facts(Intent.SAVE, replace(rule, stance=Stance.REQUIRE), drive, cartridge, supposed))


@dataclass(frozen=True, slots=True)
class Remark:
    """Something of a drive that `require` rests on. `refuses`: it would refuse every cartridge."""

    why: str
    mend: str
    refuses: bool = False


def remarks(drive: DriveFacts, *, qualified: bool) -> tuple[Remark, ...]:
    """What is to be said of a drive whatever is in it."""
    found = []
    if not drive.approved:
        found.append(Remark("it is not approved", "tapekey drive approve DRIVE", refuses=True))
    if drive.hands_off:
        found.append(Remark("it is marked hands-off", "approve it without --hands-off, or leave it so", refuses=True))
    if drive.management not in (Management.APPLICATION, Management.BROKEN):
        found.append(Remark(f"keys: {drive.management.value}", "see the refusals of rule 9", refuses=True))
    if drive.approved and not drive.hands_off and not drive.guards & OWN_GUARDS:
        found.append(Remark("it has no guard of its own", "rest on gate or hook, or use a drive that has one"))
    if drive.approved and not drive.hands_off and not qualified:
        found.append(Remark("its guards were never tried out", "tapekey drive qualify DRIVE"))
    return tuple(found)

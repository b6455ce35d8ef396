"""Whoever asks for a drive that is marked hands-off: it is left alone, unless a rule demands more of it.

The drive and its cartridge are asked who they are, and nothing else; what is seen is kept for `tapekey observe`.
"""

from dataclasses import replace

from tapekey.errors import NotReady, Refused, TapekeyError
from tapekey.mount.survey import survey
from tapekey.policy import rules
from tapekey.policy.facts import Rule, Stance
from tapekey.policy.rules import Subjects
from tapekey.service.door import Presence
from tapekey.service.duties import Hands
from tapekey.service.inbox import Ask, Wish
from tapekey.service.replies import of_view
from tapekey.service.view import DriveView


def meet(hands: Hands, view: DriveView, ask: Ask) -> None:
    """Answer it. Under `require` it is refused, as a save in this drive is."""
    try:
        if ask.wish is Wish.READY and _rule(hands, ask).stance is Stance.REQUIRE:
            raise Refused(
                f"drive {hands.serial} is not made ready",
                why="it is marked hands-off, and the rule is require",
                mend="approve it without --hands-off, or use another drive",
            )
        ask.answer(of_view(view, phase="left alone"))
    except TapekeyError as error:
        ask.refuse(error)


def _rule(hands: Hands, ask: Ask) -> Rule:
    """The rule for the cartridge if it can be looked at, else for what the asker says of it."""
    terms = ask.terms
    there = hands.door.look().presence
    if there is Presence.SETTLING:
        raise NotReady(f"drive {hands.serial} is not ready yet", mend="ask again when the cartridge is loaded")
    if there is Presence.LOADED:
        options = replace(hands.options, volsers=terms.volsers, pool=terms.pool, library=terms.library)
        with hands.alone() as transport:
            seen = survey(transport, hands.manager, options)
        if seen.rule is not None:
            return seen.rule
    return rules.find(hands.manager.rules(), Subjects(terms.volsers, terms.pool, hands.serial, terms.library))

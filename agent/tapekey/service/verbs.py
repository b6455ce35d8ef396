"""What the agent does when asked over its socket: a table of verbs.

A verb runs in its client's thread, puts a request into a worker's inbox, and waits for the answer as long as its caller
said. Nothing is sent to a drive here.
"""

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from tapekey.errors import NotFound, Usage
from tapekey.policy.facts import Intent
from tapekey.service.control import Caller, Verb
from tapekey.service.drives import Drives
from tapekey.service.events import Cause, Event
from tapekey.service.inbox import Ask, Terms, Wish
from tapekey.service.view import AgentView, DriveView, as_json

Arguments = Mapping[str, object]
Reply = Mapping[str, object]

DEFAULT_SECONDS: Final = 300.0
LOOK: Final = 0.05  # seconds between looks for a drive that is not known yet
LONGEST_SECONDS: Final = 4 * 3600.0
INTENTS: Final = {"save": Intent.SAVE, "restore": Intent.RESTORE, "": None}


@dataclass(frozen=True, slots=True)
class Desk:
    """What verbs work with."""

    drives: Drives
    view: Callable[[], AgentView]
    hush: Callable[[str, float], None]
    reload: Callable[[], None]

    def status(self, arguments: Arguments) -> Reply:
        """The agent and its drives."""
        return as_json(self.view())

    def ready(self, arguments: Arguments) -> Reply:
        """Make a drive ready; answered once software may open it."""
        intent = _text(arguments, "intent")
        if intent not in INTENTS:
            raise Usage(f"{intent!r} is no intent", mend="save, restore, or nothing")
        terms = Terms(
            _texts(arguments, "volsers"),
            _text(arguments, "pool"),
            _text(arguments, "library"),
            INTENTS[intent],
            arguments.get("loaded") is True,
            hook=True,
        )
        return self._ask(Wish.READY, arguments, terms)

    def unload(self, arguments: Arguments) -> Reply:
        """Take the account and unload."""
        return self._ask(Wish.UNLOAD, arguments, Terms())

    def verify(self, arguments: Arguments) -> Reply:
        """Look whether the drive is as it was left."""
        return self._ask(Wish.VERIFY, arguments, Terms())

    def moving(self, arguments: Arguments) -> Reply:
        """A changer is going to move: ask it nothing for so long."""
        self.hush(_text(arguments, "changer"), _seconds(arguments))
        return {}

    def look(self, arguments: Arguments) -> Reply:
        """Something may have changed in a drive."""
        worker = self.drives.ask(_text(arguments, "drive"), Event(Cause.RULES, time.monotonic()))
        return {"drive": worker.view.serial}

    def anew(self, arguments: Arguments) -> Reply:
        """Read settings, rules and approvals again."""
        self.reload()
        return {}

    def _ask(self, wish: Wish, arguments: Arguments, terms: Terms) -> Reply:
        ask = Ask(wish, time.monotonic() + _seconds(arguments), terms)
        name = _text(arguments, "drive")
        self._await(name, ask.until)
        worker = self.drives.ask(name, ask)
        return ask.wait(lambda: (worker.view.serial, doing(worker.view)))

    def _await(self, name: str, until: float) -> None:
        """Wait for a drive that an agent which has just begun does not know yet: a job's hook may come first."""
        while self.drives.is_beginning and time.monotonic() < until:
            with suppress(NotFound):
                self.drives.find(name)
                return
            time.sleep(LOOK)


def doing(view: DriveView) -> str:
    """What a drive that does not answer is doing."""
    if view.busy_since:
        return f"an operation runs since {time.time() - view.busy_since:.0f} s"
    return f"it is {view.state.value}{': ' + view.why if view.why else ''}"


def table(desk: Desk) -> Mapping[str, Verb]:
    """Every verb, as the control socket calls it."""
    verbs: dict[str, Callable[[Arguments], Reply]] = {
        "status": desk.status,
        "ready": desk.ready,
        "unload": desk.unload,
        "verify": desk.verify,
        "moving": desk.moving,
        "look": desk.look,
        "reload": desk.anew,
    }
    return {name: _called(verb) for name, verb in verbs.items()}


def _called(verb: Callable[[Arguments], Reply]) -> Verb:
    def call(caller: Caller, arguments: Arguments) -> Reply:
        return verb(arguments)

    return call


def _text(arguments: Arguments, name: str) -> str:
    found = arguments.get(name, "")
    if not isinstance(found, str):
        raise Usage(f"{name} is text")
    return found


def _texts(arguments: Arguments, name: str) -> tuple[str, ...]:
    found = arguments.get(name, [])
    if not isinstance(found, list) or not all(isinstance(each, str) for each in found):
        raise Usage(f"{name} is a list of texts")
    return tuple(each for each in found if each)


def _seconds(arguments: Arguments) -> float:
    found = arguments.get("seconds", DEFAULT_SECONDS)
    if isinstance(found, bool) or not isinstance(found, int | float) or not 0 <= found <= LONGEST_SECONDS:
        raise Usage("seconds is a number", why=f"from 0 to {LONGEST_SECONDS:g}")
    return float(found)

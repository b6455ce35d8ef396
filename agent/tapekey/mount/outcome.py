"""What the decision says is done before any key is made: guard, parameters, and the refusal in words."""

from tapekey.errors import Refused
from tapekey.exchange import Transport
from tapekey.manager.questions import KeyManager
from tapekey.mount import install, park
from tapekey.mount.scene import Scene
from tapekey.mount.state import Course, Event
from tapekey.policy.decision import Decision, GuardMove, MakeKey, Modes, ReadKey, Refusal, UseKey
from tapekey.policy.facts import Intent

VERB = {Intent.SAVE: "save to", Intent.RESTORE: "restore from"}


def settle(transport: Transport, manager: KeyManager | None, scene: Scene, decision: Decision, course: Course) -> None:
    """Bring guard and parameters to where the decision wants them before a key; Refused if it refuses."""
    if decision.guard is GuardMove.CLOSE:
        install.close_guard(transport, scene, manager)
        course.take(Event.CLOSE)
    if decision.modes is Modes.OFF:
        install.take_out(transport, scene)
    if manager is not None and scene.parked is not None and not isinstance(decision, MakeKey | UseKey | ReadKey):
        park.settle(transport, manager, scene, decision)
    if decision.guard is GuardMove.OPEN:
        install.open_guard(transport, scene, manager)
        course.take(Event.OPEN)
    if decision.guard is GuardMove.KEEP:
        course.take(Event.LEAVE)
    if getattr(decision, "alarm", False) and manager is not None:
        _raise_alarm(manager, scene, decision)
    if isinstance(decision, Refusal):
        what = f"cannot {VERB[scene.facts.intent]} cartridge {_name(scene)} in drive {scene.drive}"
        raise Refused(what, why=decision.why, mend=decision.mend, alarm=decision.alarm)


def _raise_alarm(manager: KeyManager, scene: Scene, decision: Decision) -> None:
    manager.note(
        "refused" if isinstance(decision, Refusal) else "out of the ordinary",
        alarm=True,
        drive=scene.drive.serial,
        cartridge=scene.cartridge.serial,
        volser=scene.volser,
        rule=decision.number,
        why=decision.why,
        envelope=scene.facts.key.envelope.value,
        kad=scene.facts.key.kad.value,
    )


def _name(scene: Scene) -> str:
    return f"{scene.volser} ({scene.cartridge})" if scene.volser else str(scene.cartridge)

"""Make a drive ready to write: identify, decide, commit the key, carry it, release it, set it, verify it.

Nothing is released that is not committed, nothing is sent that was not read back from the cartridge or is known not
to go there, and nobody is told that the drive is ready before the drive itself has said so.
"""

from dataclasses import dataclass

from tapekey.cartridge import envelopes
from tapekey.drive import modes
from tapekey.drive.modes import Status
from tapekey.errors import DoesNotFit, NotFound
from tapekey.exchange import Transport
from tapekey.keys.brief import KadRoom
from tapekey.keys.data_key import KeyId
from tapekey.manager.questions import KeyManager, KeyMaterial, Mount, Prepared, Request
from tapekey.mount import again, install, outcome
from tapekey.mount.options import Options
from tapekey.mount.scene import Scene, observe
from tapekey.mount.state import Course, Event, Phase
from tapekey.policy.decide import decide
from tapekey.policy.decision import Decision, MakeKey, UseKey
from tapekey.policy.facts import Intent, KeyState


@dataclass(frozen=True, slots=True)
class Saved:
    """What came of it. `phase` is READY_TO_WRITE, or LEFT when no key is needed or none is ours to give."""

    phase: Phase
    decision: Decision
    drive: str
    cartridge: str
    volser: str
    key_id: KeyId | None = None
    carried: tuple[str, ...] = ()  # recipients whose stanza is in the cartridge's memory
    left_out: tuple[str, ...] = ()
    in_memory: bool = False
    mount: Mount | None = None

    @property
    def encrypted(self) -> bool:
        """Whether what is written now is encrypted."""
        return self.key_id is not None


def save(transport: Transport, manager: KeyManager, options: Options | None = None) -> Saved:
    """Make ready to write. Refused: what the rule forbids, with why and mend; other errors: what went wrong."""
    chosen = options or Options()
    again_ready = again.for_writing(transport, manager, chosen)
    if again_ready is not None:
        return _as_it_stands(*again_ready)
    scene = observe(transport, manager, Intent.SAVE, chosen)
    decision = decide(scene.facts)
    course = Course()
    outcome.settle(transport, manager, scene, decision, course)
    if isinstance(decision, MakeKey | UseKey):
        return _keyed(transport, manager, scene, decision, course, chosen)
    mount = _in_clear(manager, scene, course) if course.phase is Phase.OPENED else None
    return Saved(course.phase, decision, scene.drive.serial, scene.cartridge.serial, scene.volser, mount=mount)


def _as_it_stands(mount: Mount, prepared: Prepared) -> Saved:
    """The same mount with the same key in force: nothing was to be done."""
    return Saved(
        Phase.READY_TO_WRITE,
        UseKey(22, "its key stands in the drive already"),
        mount.drive_serial,
        mount.medium_serial,
        mount.volser,
        mount.key_id,
        prepared.carried if prepared.envelope else (),
        prepared.left_out if prepared.envelope else (*prepared.carried, *prepared.left_out),
        bool(prepared.envelope),
        mount,
    )


def _in_clear(manager: KeyManager, scene: Scene, course: Course) -> Mount:
    """Put down that the cartridge is written without a key."""
    mount = manager.begin(scene.drive.serial, scene.cartridge.serial, scene.volser, Intent.SAVE)
    course.take(Event.BEGIN)
    manager.installed(mount)
    course.take(Event.RECORD_WRITING)
    return mount


def _keyed(
    transport: Transport,
    manager: KeyManager,
    scene: Scene,
    decision: MakeKey | UseKey,
    course: Course,
    options: Options,
) -> Saved:
    install.make_way(transport, scene)
    mount = manager.begin(scene.drive.serial, scene.cartridge.serial, scene.volser, Intent.SAVE)
    course.take(Event.BEGIN)
    kad = b""
    sent: Status | None = None
    try:
        prepared = _commit(transport, manager, scene, decision)
        course.take(Event.COMMIT)
        witnessed = _carry(transport, prepared)
        course.take(Event.CARRY)
        material = _release(manager, scene, prepared, witnessed)
        course.take(Event.RELEASE)
        kad = prepared.kad
        course.take(Event.SEND)
        sent = install.send(transport, scene, material, modes.WRITE, kad, options)
        reference = install.verify(transport, scene, sent, modes.WRITE)
        course.take(Event.VERIFY)
        mount = install.installed(mount, material, sent, reference)
        manager.installed(mount)
        course.take(Event.RECORD_WRITING)
    except BaseException:
        _fail(transport, manager, scene, kad, sent, course)
        raise
    return Saved(
        course.phase,
        decision,
        scene.drive.serial,
        scene.cartridge.serial,
        scene.volser,
        prepared.key_id,
        prepared.carried if witnessed else (),
        prepared.left_out if witnessed else (*prepared.carried, *prepared.left_out),
        bool(witnessed),
        mount,
    )


def _fail(
    transport: Transport,
    manager: KeyManager,
    scene: Scene,
    kad: bytes,
    sent: Status | None,
    course: Course,
) -> None:
    """Leave the drive closed; only what was sent has to be taken out again."""
    late = course.phase in (Phase.SENT, Phase.VERIFIED)
    course.take(Event.FAIL)
    if late:
        install.withdraw(transport, scene, kad, sent, manager)


def _commit(transport: Transport, manager: KeyManager, scene: Scene, decision: MakeKey | UseKey) -> Prepared:
    """The key, durable in the store. One that was never released is sealed anew if the room for it has changed."""
    key_id = scene.known.key_id
    if isinstance(decision, UseKey) and key_id is not None and scene.known.facts.state is not KeyState.PREPARED:
        return _on_record(transport, manager, scene, key_id)
    return manager.prepare(request(transport, scene))


def _on_record(transport: Transport, manager: KeyManager, scene: Scene, key_id: KeyId) -> Prepared:
    """A key that was parked when the cartridge was written has no envelope yet."""
    try:
        return manager.prepared(key_id)
    except NotFound:
        return manager.reissue(key_id, request(transport, scene))


def request(transport: Transport, scene: Scene) -> Request:
    """What a new envelope and its brief form have to fit."""
    room = scene.abilities.kad_room
    return Request(
        medium_serial=scene.cartridge.serial,
        volser=scene.volser,
        rule=scene.facts.rule,
        mam_room=envelopes.room(transport),
        kad_room=KadRoom(room.authenticated, room.unauthenticated),
        decided_on=scene.known,
        parked=scene.parked.key_id if scene.parked is not None and not scene.parked.medium_serial else None,
    )


def _carry(transport: Transport, prepared: Prepared) -> bytes:
    """The envelope as read back from the cartridge's memory; empty: the memory does not take it."""
    if not prepared.envelope:
        return b""
    try:
        return envelopes.write(transport, prepared.envelope).value
    except DoesNotFit:
        return b""


def _release(manager: KeyManager, scene: Scene, prepared: Prepared, witnessed: bytes) -> KeyMaterial:
    return manager.release(
        prepared.key_id,
        medium_serial=scene.cartridge.serial,
        drive=scene.drive.serial,
        witnessed=witnessed,
        wrap=install.wrap_target(scene),
    )

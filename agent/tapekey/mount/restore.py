"""Make a drive ready to read: find the one key that the cartridge names, and set it for reading only.

With a keystore the rules decide and the books are kept. Without one, whoever holds a recipient's private key reads
the cartridge all the same: the operator's word stands for both.
"""

from dataclasses import dataclass

from tapekey.drive.modes import Status
from tapekey.exchange import Transport
from tapekey.keys.data_key import KeyId
from tapekey.manager.questions import Evidence, KeyManager, Mount, ReadingKey, ReadingKeys
from tapekey.mount import again, install, outcome
from tapekey.mount.options import Options
from tapekey.mount.scene import Scene, observe, observe_alone
from tapekey.mount.state import Course, Event, Phase
from tapekey.policy.decide import decide
from tapekey.policy.decision import Decision, Modes, ReadKey
from tapekey.policy.facts import Intent


@dataclass(frozen=True, slots=True)
class Restored:
    """What came of it. `phase` is READY_TO_READ, CLOSED when nothing is encrypted, or LEFT."""

    phase: Phase
    decision: Decision
    drive: str
    cartridge: str
    volser: str
    key_id: KeyId | None = None
    foreign: bool = False  # unwrapped from what the cartridge carries, not taken from a record
    mount: Mount | None = None
    not_written: str = ""  # why it was not made ready to write, if that was tried first


def restore(
    transport: Transport, keys: ReadingKeys, options: Options | None = None, *, manager: KeyManager | None = None
) -> Restored:
    """Make ready to read with what `keys` opens; `manager` keeps the books, and None means that there are none."""
    chosen = options or Options()
    standing = again.for_reading(transport, manager, chosen) if manager else None
    if standing is not None and manager is not None:
        return _as_it_stands(manager, standing, chosen)
    scene = observe(transport, manager, Intent.RESTORE, chosen) if manager else observe_alone(transport, chosen)
    decision = decide(scene.facts)
    course = Course()
    outcome.settle(transport, manager, scene, decision, course)
    if isinstance(decision, ReadKey):
        return _keyed(transport, keys, manager, scene, decision, course, chosen)
    return Restored(course.phase, decision, scene.drive.serial, scene.cartridge.serial, scene.volser)


def _as_it_stands(manager: KeyManager, mount: Mount, options: Options) -> Restored:
    """The same mount with the same key in force: nothing was to be done."""
    pair = Modes.READ_WITH_CLEAR_LABELS if options.clear_labels else Modes.READ
    decision = ReadKey(29, "its key stands in the drive already", pair)
    foreign = manager.known(Evidence(mount.medium_serial)).key_id != mount.key_id
    return Restored(
        Phase.READY_TO_READ,
        decision,
        mount.drive_serial,
        mount.medium_serial,
        mount.volser,
        mount.key_id,
        foreign,
        mount,
    )


def _keyed(
    transport: Transport,
    keys: ReadingKeys,
    manager: KeyManager | None,
    scene: Scene,
    decision: ReadKey,
    course: Course,
    options: Options,
) -> Restored:
    install.make_way(transport, scene)
    mount = _begin(manager, scene, course)
    pair = install.PAIRS[decision.modes]
    sent: Status | None = None
    try:
        key = _find(keys, scene, manager)
        course.take(Event.UNWRAP)
        course.take(Event.SEND)
        sent = install.send(transport, scene, key.material, pair, scene.evidence.kad, options)
        reference = install.verify(transport, scene, sent, pair)
        course.take(Event.VERIFY)
        if manager is not None and mount is not None:
            mount = install.installed(mount, key.material, sent, reference)
            manager.installed(mount)
        course.take(Event.RECORD_READING)
    except BaseException:
        late = course.phase in (Phase.SENT, Phase.VERIFIED)
        if course.phase is not Phase.CLOSED:
            course.take(Event.FAIL)
        if late:
            install.withdraw(transport, scene, scene.evidence.kad, sent, manager)
        raise
    return Restored(
        course.phase,
        decision,
        scene.drive.serial,
        scene.cartridge.serial,
        scene.volser,
        key.material.key_id,
        key.foreign,
        mount,
    )


def _begin(manager: KeyManager | None, scene: Scene, course: Course) -> Mount | None:
    if manager is None:
        return None
    mount = manager.begin(scene.drive.serial, scene.cartridge.serial, scene.volser, Intent.RESTORE)
    course.take(Event.BEGIN)
    return mount


def _find(keys: ReadingKeys, scene: Scene, manager: KeyManager | None) -> ReadingKey:
    """The key, wrapped for the drive only if its own key was pinned."""
    wrap = install.wrap_target(scene) if manager is not None else None
    return keys.key_for_reading(scene.evidence, drive=scene.drive.serial, wrap=wrap)

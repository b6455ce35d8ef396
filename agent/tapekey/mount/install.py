"""Put a key into the drive, and see that it is there: set, read back, compare, and out again if anything differs.

What is taken out is ours: the key-associated data that we sent and the counter that we saw. Anything else that stands
in the drive by then is somebody else's, and stays.
"""

from dataclasses import replace

from tapekey.cartridge import identity
from tapekey.drive import load, modes, parameters
from tapekey.drive.modes import Pair, Status
from tapekey.drive.parameters import kads_of
from tapekey.errors import DriveLied, TapekeyError
from tapekey.exchange import Transport
from tapekey.manager.questions import KeyManager, KeyMaterial, Mount, WrapTarget
from tapekey.mount import guarding, owner, park
from tapekey.mount.options import Options
from tapekey.mount.scene import Scene
from tapekey.policy.decision import Modes
from tapekey.policy.facts import Guard, Intent, Parameters

NOT_KNOWN_OURS = "parameters stand in it that cannot be told to be ours"

PAIRS: dict[Modes, Pair] = {
    Modes.OFF: modes.OFF,
    Modes.WRITE: modes.WRITE,
    Modes.READ: modes.READ,
    Modes.READ_WITH_CLEAR_LABELS: modes.READ_WITH_CLEAR_LABELS,
}


def close_guard(transport: Transport, scene: Scene, manager: KeyManager | None) -> None:
    """Let no clear write pass, where the drive can see to that."""
    if scene.abilities.write_guard:
        guarding.close(transport, manager, scene.drive)


def open_guard(transport: Transport, scene: Scene, manager: KeyManager | None) -> None:
    """Let clear writes pass."""
    if scene.abilities.write_guard:
        guarding.open(transport, manager, scene.drive)


def wrap_target(scene: Scene) -> WrapTarget | None:
    """The drive's own key, if it was pinned when the drive was approved; None: the key goes in clear."""
    return park.wrap_target(scene.drive, scene.record, scene.abilities)


def send(transport: Transport, scene: Scene, material: KeyMaterial, pair: Pair, kad: bytes, options: Options) -> Status:
    """Set the key for all nexuses; the drive's account of it is compared and returned."""
    able = scene.abilities
    label = parameters.wrap_label(scene.drive) if material.wrapped is not None else b""
    return parameters.set_key(
        transport,
        able,
        encryption=pair[0],
        decryption=pair[1],
        plain=material.plain,
        wrapped=material.wrapped,
        label=label,
        kads=able.kad_room.split(kad),
        clear_on_demount=able.clears_on_demount,
        lock=options.lock and able.locks,
    )


def verify(transport: Transport, scene: Scene, sent: Status, pair: Pair) -> bytes:
    """Read status and cartridge once more, and compare. Returns the volume change reference as it is now."""
    cartridge = identity.identify(transport)
    if cartridge != scene.cartridge:
        raise DriveLied(
            f"the key is in drive {scene.drive} with another cartridge",
            why=f"it was set for {scene.cartridge}, and {cartridge} is mounted now",
            mend="write nothing; unload it and begin again",
        )
    now = parameters.status(transport)
    seen = (now.key_instance_counter, kads_of(now.kads), modes.in_force(now))
    if seen != (sent.key_instance_counter, kads_of(sent.kads), pair):
        raise DriveLied(
            f"the parameters in drive {scene.drive} are not those that were set",
            why=f"key instance counter {now.key_instance_counter}, {sent.key_instance_counter} was expected",
            mend="find out who else sets keys in this drive; write nothing",
        )
    return cartridge.change_reference


def installed(mount: Mount, material: KeyMaterial, status: Status, change_reference: bytes) -> Mount:
    """The mount as it is recorded."""
    return replace(
        mount,
        key_id=material.key_id,
        kad=kads_of(status.kads),
        key_instance_counter=status.key_instance_counter,
        change_reference=change_reference,
    )


def withdraw(transport: Transport, scene: Scene, kad: bytes, sent: Status | None, manager: KeyManager | None) -> None:
    """After a failure: take our key out of the drive if it is there, and see that the guard is closed.

    A failure of this, too, is an alarm and not an error: the first error is what the operator has to read. Attentions
    that stand are collected first: what they tell of is looked at here anyway.
    """
    try:
        load.presence(transport)
        close_guard(transport, scene, manager)
        now = parameters.status(transport)
        if modes.in_force(now) == modes.OFF:
            return
        if scene.parked is not None and manager is not None and owner.of_status(manager, now) is not None:
            return  # it was never replaced, and is still what stands before a clear write
        if _ours(scene, now, kad, sent):
            _leave_closed(transport, scene, manager)
        elif manager is not None:
            manager.note("key left in the drive", alarm=True, drive=scene.drive.serial, why=NOT_KNOWN_OURS)
    except TapekeyError as error:
        if manager is not None:
            manager.note("key not taken back", alarm=True, drive=scene.drive.serial, why=str(error))


def _leave_closed(transport: Transport, scene: Scene, manager: KeyManager | None) -> None:
    """Our key out; where nothing but a parked key stood before clear writes, another one in its place."""
    if scene.parked is not None and manager is not None and Guard.DRIVE not in scene.facts.drive.guards:
        try:
            park.stand(transport, manager, scene.drive, scene.record, scene.abilities, scene.facts.rule)
        except TapekeyError as error:
            manager.note(
                "no key parked in place of the failed one", alarm=True, drive=scene.drive.serial, why=str(error)
            )
        else:
            return
    parameters.clear_key(transport, scene.abilities)


def _ours(scene: Scene, now: Status, kad: bytes, sent: Status | None) -> bool:
    """By the counter, if we saw it; else by the key-associated data, which only our key has."""
    if sent is not None:
        return (now.key_instance_counter, kads_of(now.kads)) == (sent.key_instance_counter, kads_of(sent.kads))
    first, second = scene.abilities.kad_room.split(kad)
    return kads_of(now.kads) == first + second != b""


def take_out(transport: Transport, scene: Scene) -> None:
    """Take a mount's key of ours out of the drive, if one is there; somebody else's is never touched."""
    if scene.facts.drive.parameters is Parameters.OURS:
        parameters.clear_key(transport, scene.abilities)


def make_way(transport: Transport, scene: Scene) -> None:
    """Take out a key for reading before a new mount begins.

    It has no key-associated data on LTO, so only its mount's record tells that it is ours, and the new one replaces it.
    """
    if scene.before is not None and scene.before.intent is Intent.RESTORE:
        take_out(transport, scene)

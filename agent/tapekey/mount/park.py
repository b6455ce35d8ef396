"""A key of ours in an empty drive: put there, and dealt with once a cartridge has come.

It becomes the cartridge's key or is replaced by it, without a moment between in which the drive is open (`save`). Where
a cartridge gets no key it goes only if the drive itself refuses clear writes, or if clear data are what the rule wants.
"""

from tapekey.drive import load, modes, parameters, parking
from tapekey.drive.abilities import Abilities
from tapekey.drive.identity import DriveId
from tapekey.drive.parameters import kads_of
from tapekey.errors import Refused, TapekeyError
from tapekey.exchange import Transport
from tapekey.manager.questions import DriveRecord, KeyManager, KeyMaterial, Parked, WrapTarget
from tapekey.mount import guarding
from tapekey.mount.scene import Scene
from tapekey.policy.decision import Decision, GuardMove, Refusal
from tapekey.policy.facts import Guard, Rule


def stand(
    transport: Transport, manager: KeyManager, drive: DriveId, record: DriveRecord | None, able: Abilities, rule: Rule
) -> Parked:
    """Park a key and read it back; what stands in the drive is replaced. NotSafe: none may be.

    It is committed before it leaves the store, and taken out again if the drive does not show it as it was sent.
    """
    able = parking.without_cartridge(transport, able)
    parked, material = manager.park(drive.serial, rule, guarding.room(able), wrap_target(drive, record, able))
    try:
        status = _send(transport, drive, able, parked, material)
    except BaseException:
        _take_back(transport, manager, able, parked)
        raise
    manager.park_stands(parked, status.key_instance_counter)
    return parked


def settle(transport: Transport, manager: KeyManager, scene: Scene, decision: Decision) -> None:
    """Take the parked key out for a cartridge that gets none, where that leaves the drive as closed as it has to be."""
    assert scene.parked is not None
    opens = decision.guard is GuardMove.OPEN
    refused = decision.guard is GuardMove.CLOSE and Guard.DRIVE in scene.facts.drive.guards
    if opens or refused:
        parameters.clear_key(transport, scene.abilities)
        return
    manager.drop_parked(scene.parked)  # the next cartridge meets another one
    manager.note(
        "parked key stays in",
        alarm=isinstance(decision, Refusal),
        drive=scene.drive.serial,
        cartridge=scene.cartridge.serial,
        key=str(scene.parked.key_id),
        why="what is written to this cartridge is encrypted under it",
    )


def wrap_target(drive: DriveId, record: DriveRecord | None, able: Abilities) -> WrapTarget | None:
    """The drive's own key, if it was pinned when the drive was approved; None: the key goes in clear."""
    if record is None or not record.key:
        return None
    public = able.public_key
    if public is None:
        raise Refused(
            f"no key is given to drive {drive}",
            why="it was approved with a public key, and shows none now",
            mend="find out what answers in its place",
            alarm=True,
        )
    return WrapTarget(public.modulus, public.exponent, parameters.wrap_label(drive))


def _send(transport: Transport, drive: DriveId, able: Abilities, parked: Parked, material: KeyMaterial) -> modes.Status:
    label = parameters.wrap_label(drive) if material.wrapped is not None else b""
    return parking.park(transport, able, plain=material.plain, wrapped=material.wrapped, label=label, kad=parked.kad)


def _take_back(transport: Transport, manager: KeyManager, able: Abilities, parked: Parked) -> None:
    """A failure of this, too, is an alarm and not an error: the first error is what the operator has to read."""
    try:
        load.presence(transport)
        now = parameters.status(transport)
        first, second = able.kad_room.split(parked.kad)
        if modes.in_force(now) != modes.OFF and kads_of(now.kads) == first + second:
            parameters.clear_key(transport, able)
    except TapekeyError as error:
        manager.note("key not taken back", alarm=True, drive=parked.drive_serial, why=str(error))

"""PERSISTENT RESERVE OUT (reference 1.8; the rules are SPC-4's, 5.12): registrations and what they allow.

There is one target port, so ALL_TG_PT changes nothing; SPEC_I_PT is refused. Keys of encryption that are bound to a
reservation go with it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from tapekey.errors import Malformed
from tapekey.exchange import Command
from tapekey.scsi import reserve
from tapekey.scsi.reserve import OutAction
from tapekey.scsi.transport_id import decode_transport_id
from tapekey.target.drive_reserve import PORT
from tapekey.target.nexus import Nexus
from tapekey.target.refusal import ReservedByAnother, illegal, invalid_cdb, invalid_parameter, list_length
from tapekey.target.reservable import Reservable
from tapekey.target.reservations import ALL_REGISTRANTS, REGISTRANTS
from tapekey.target.unit_attention import Attention
from tapekey.wire.layout import decode, size_of

TYPED: Final = frozenset({OutAction.RESERVE, OutAction.PREEMPT, OutAction.PREEMPT_AND_ABORT})
MOST: Final = 1024  # registrations: they outlast their sessions, so somebody must stop counting
REGISTERING: Final = frozenset({OutAction.REGISTER, OutAction.REGISTER_AND_IGNORE_EXISTING_KEY})


@dataclass(frozen=True, slots=True)
class Order:
    """A PERSISTENT RESERVE OUT taken apart."""

    kind: int
    key: int
    action_key: int
    abort: bool = False


def persistent_out(drive: Reservable, nexus: Nexus, command: Command) -> None:
    """PERSISTENT RESERVE OUT (5Fh)."""
    cdb = decode(reserve.PersistentOut, command.cdb)
    act = ACTIONS.get(cdb.action)
    if act is None and cdb.action is not OutAction.REGISTER_AND_MOVE:
        raise invalid_cdb(1, 4)
    if drive.reservations.simple not in ("", nexus.name):
        raise ReservedByAnother
    _check_type(drive, cdb)
    if act is None:
        _move(drive, nexus, cdb, bytes(drive.plain_out(command, cdb.length)))
        return
    if cdb.length != reserve.LENGTH:
        raise list_length()
    parameters = decode(reserve.OutParameters, bytes(drive.plain_out(command, cdb.length)))
    _check_key(drive, nexus, cdb.action, parameters.key)
    if cdb.action in REGISTERING:
        _check_flags(drive, parameters)
    aborts = cdb.action is OutAction.PREEMPT_AND_ABORT
    act(drive, nexus, Order(int(cdb.type), parameters.key, parameters.action_key, aborts))
    if cdb.action in REGISTERING:
        drive.reservations.through_power_loss = parameters.through_power_loss


def _check_type(drive: Reservable, cdb: reserve.PersistentOut) -> None:
    if cdb.action in TYPED:
        if cdb.scope:
            raise invalid_cdb(2, 7)
        if cdb.type not in drive.personality.reservation_types:
            raise invalid_cdb(2, 3)


def _check_key(drive: Reservable, nexus: Nexus, action: OutAction, key: int) -> None:
    """Only a registered nexus that gives its own key is heard; an unregistered one may register with key 0."""
    if action is OutAction.REGISTER_AND_IGNORE_EXISTING_KEY:
        return
    registered = drive.reservations.keys.get(nexus.name)
    if registered is None and action is OutAction.REGISTER and key == 0:
        return
    if registered is None or registered != key:
        raise ReservedByAnother


def _check_flags(drive: Reservable, parameters: reserve.OutParameters) -> None:
    if parameters.specify_initiators:
        raise invalid_parameter(20, 3)
    if parameters.through_power_loss and not drive.personality.reservations_persist:
        raise invalid_parameter(20, 0)


def _register(drive: Reservable, nexus: Nexus, order: Order) -> None:
    held = drive.reservations
    if order.action_key:
        _check_room(drive, nexus.name)
        held.generation += 1
        held.keys[nexus.name] = order.action_key
    elif nexus.name in held.keys:
        held.generation += 1
        _unregister(drive, nexus)


def _check_room(drive: Reservable, name: str) -> None:
    """5/55/04 for one registrant too many."""
    if name not in drive.reservations.keys and len(drive.reservations.keys) >= MOST:
        raise illegal(0x55, 0x04)


def _unregister(drive: Reservable, nexus: Nexus) -> None:
    """A holder's reservation goes with its registration; one that all registrants hold, with the last of them."""
    held = drive.reservations
    del held.keys[nexus.name]
    if not held.kind:
        return
    if (held.kind in ALL_REGISTRANTS and not held.keys) or (
        held.kind not in ALL_REGISTRANTS and held.holder == nexus.name
    ):
        _released(drive, nexus)


def _reserve(drive: Reservable, nexus: Nexus, order: Order) -> None:
    held = drive.reservations
    if held.kind and not (held.holds(nexus.name) and held.kind == order.kind):
        raise ReservedByAnother
    if not held.kind:
        held.holder, held.kind = nexus.name, order.kind


def _release(drive: Reservable, nexus: Nexus, order: Order) -> None:
    held = drive.reservations
    if not held.holds(nexus.name):
        return
    if held.kind != order.kind:
        raise illegal(0x26, 0x04)
    _released(drive, nexus)


def _released(drive: Reservable, nexus: Nexus) -> None:
    """The reservation ends; those who lived under it are told, and keys bound to it go."""
    held = drive.reservations
    told, holder = held.kind in REGISTRANTS, held.holder
    held.drop()
    if told:
        _tell_registered(drive, nexus, Attention.RESERVATIONS_RELEASED)
    _lost(drive, holder, preempted=False)


def _tell_registered(drive: Reservable, nexus: Nexus, attention: Attention) -> None:
    for other in drive.nexuses.others(nexus):
        if other.name in drive.reservations.keys:
            other.tell(attention)


def _lost(drive: Reservable, name: str, *, preempted: bool) -> None:
    drive.parameters.reservation_lost(name, drive.nexuses, preempted=preempted)


def _clear(drive: Reservable, nexus: Nexus, order: Order) -> None:
    held = drive.reservations
    holder = held.holder
    held.generation += 1
    _tell_registered(drive, nexus, Attention.RESERVATIONS_PREEMPTED)
    held.keys.clear()
    held.drop()
    _lost(drive, holder, preempted=False)


def _preempt(drive: Reservable, nexus: Nexus, order: Order) -> None:
    """Take registrations with that key away, and the reservation if it was theirs."""
    held = drive.reservations
    everyone = held.kind in ALL_REGISTRANTS and not order.action_key
    if not order.action_key and not everyone:
        raise invalid_parameter(8)
    hit = [name for name, key in held.keys.items() if everyone or key == order.action_key]
    victims = [name for name in hit if name != nexus.name]
    takes = everyone or (bool(held.kind) and held.kind not in ALL_REGISTRANTS and held.holder in hit)
    if not victims and not takes:
        raise ReservedByAnother
    held.generation += 1
    for name in victims:
        del held.keys[name]
        _evict(drive, name, abort=order.abort)
    if takes:
        _take_over(drive, nexus, order.kind)


def _evict(drive: Reservable, name: str, *, abort: bool) -> None:
    victim = drive.nexuses.find(name)
    if victim is not None:
        victim.tell(Attention.REGISTRATIONS_PREEMPTED)
        victim.prevents_removal = victim.prevents_removal and not abort


def _take_over(drive: Reservable, nexus: Nexus, kind: int) -> None:
    held = drive.reservations
    old_holder, old_kind = held.holder, held.kind
    held.holder, held.kind = nexus.name, kind
    if old_kind != kind:
        _tell_registered(drive, nexus, Attention.RESERVATIONS_RELEASED)
    if old_holder != nexus.name:
        _lost(drive, old_holder, preempted=True)


def _move(drive: Reservable, nexus: Nexus, cdb: reserve.PersistentOut, data: bytes) -> None:
    """REGISTER AND MOVE (SPC-4 5.12.8; UNV here): another initiator is registered and gets the reservation."""
    size = size_of(reserve.MoveParameters)
    if len(data) < size:
        raise list_length()
    parameters = decode(reserve.MoveParameters, data)
    if parameters.length != len(data) - size:
        raise list_length()
    held = drive.reservations
    if held.keys.get(nexus.name) != parameters.key or nexus.name not in held.keys:
        raise ReservedByAnother
    if not held.holds(nexus.name) or held.kind in ALL_REGISTRANTS:
        raise ReservedByAnother
    if not parameters.action_key:
        raise invalid_parameter(8)
    if parameters.port != PORT:
        raise invalid_parameter(18)
    if parameters.through_power_loss and not drive.personality.reservations_persist:
        raise invalid_parameter(17, 0)
    heir = _heir(parameters.initiator)
    if heir == nexus.name:
        raise invalid_parameter(24)
    _check_room(drive, heir)
    held.generation += 1
    held.keys[heir] = parameters.action_key
    held.holder = heir
    held.through_power_loss = parameters.through_power_loss
    if parameters.unregister:
        del held.keys[nexus.name]
    _lost(drive, nexus.name, preempted=False)


def _heir(initiator: bytes) -> str:
    try:
        return decode_transport_id(initiator)
    except Malformed as error:
        raise invalid_parameter(24) from error


ACTIONS: Final[Mapping[OutAction, Callable[[Reservable, Nexus, Order], None]]] = {
    OutAction.REGISTER: _register,
    OutAction.RESERVE: _reserve,
    OutAction.RELEASE: _release,
    OutAction.CLEAR: _clear,
    OutAction.PREEMPT: _preempt,
    OutAction.PREEMPT_AND_ABORT: _preempt,
    OutAction.REGISTER_AND_IGNORE_EXISTING_KEY: _register,
}

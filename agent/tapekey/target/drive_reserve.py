"""RESERVE, RELEASE and PERSISTENT RESERVE (reference 1.8): what locks a drive, and clears keys bound to it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from tapekey.exchange import Command
from tapekey.scsi import reserve
from tapekey.scsi.reserve import InAction, OutAction
from tapekey.target.nexus import Nexus
from tapekey.target.refusal import ReservedByAnother, illegal, invalid_cdb, list_length
from tapekey.target.state import Drive
from tapekey.target.unit_attention import Attention
from tapekey.wire.layout import decode, encode


def reserve_unit(drive: Drive, nexus: Nexus, command: Command) -> None:
    """RESERVE(6) and (10)."""
    if drive.reservations.kind and not drive.reservations.holds(nexus.name):
        raise ReservedByAnother
    drive.reservations.simple = nexus.name


def release_unit(drive: Drive, nexus: Nexus, command: Command) -> None:
    """RELEASE(6) and (10): another nexus's reservation is left alone, without a word."""
    if drive.reservations.simple == nexus.name:
        drive.reservations.simple = ""
        _lost(drive, nexus.name, preempted=False)


def _lost(drive: Drive, name: str, *, preempted: bool) -> None:
    drive.parameters.reservation_lost(name, drive.nexuses, preempted=preempted)


def persistent_in(drive: Drive, nexus: Nexus, command: Command) -> bytes:
    """PERSISTENT RESERVE IN (5Eh)."""
    cdb = decode(reserve.PersistentIn, command.cdb)
    view = VIEWS.get(cdb.action)
    if view is None:
        raise invalid_cdb(1, 4)
    return view(drive)[: cdb.room]


def _keys(drive: Drive) -> bytes:
    return reserve.encode_keys(drive.reservations.generation, drive.reservations.keys.values())


def _holder(drive: Drive) -> bytes:
    held = drive.reservations
    holder = None
    if held.kind:
        holder = reserve.Holder(key=held.keys.get(held.holder, 0), type=reserve.ReservationType(held.kind))
    return reserve.encode_holder(held.generation, holder)


def _capabilities(drive: Drive) -> bytes:
    mask = 0
    for kind in drive.personality.reservation_types:
        mask |= 1 << (kind + 8) if kind < 8 else 1
    return encode(reserve.Capabilities(types_valid=True, types=mask))


def _full_status(drive: Drive) -> bytes:
    held = drive.reservations
    rows = []
    for name, key in held.keys.items():
        initiator = name.encode()
        kind = reserve.ReservationType(held.kind if held.holds(name) else 0)
        header = reserve.RegistrantHeader(key=key, holder=held.holds(name), type=kind, port=1, length=len(initiator))
        rows.append(reserve.Registrant(header, initiator))
    return reserve.encode_registrants(held.generation, rows)


VIEWS: Final[Mapping[InAction, Callable[[Drive], bytes]]] = {
    InAction.READ_KEYS: _keys,
    InAction.READ_RESERVATION: _holder,
    InAction.REPORT_CAPABILITIES: _capabilities,
    InAction.READ_FULL_STATUS: _full_status,
}


@dataclass(frozen=True, slots=True)
class Order:
    """A PERSISTENT RESERVE OUT taken apart."""

    kind: int
    key: int
    action_key: int


def persistent_out(drive: Drive, nexus: Nexus, command: Command) -> None:
    """PERSISTENT RESERVE OUT (5Fh)."""
    cdb = decode(reserve.PersistentOut, command.cdb)
    act = ACTIONS.get(cdb.action)
    if act is None:
        raise invalid_cdb(1, 4)
    if cdb.length != reserve.LENGTH:
        raise list_length()
    if drive.reservations.simple not in ("", nexus.name):
        raise ReservedByAnother
    parameters = decode(reserve.OutParameters, bytes(drive.plain_out(command, cdb.length)))
    _check_type(drive, cdb)
    _check_key(drive, nexus, cdb.action, parameters.key)
    act(drive, nexus, Order(int(cdb.type), parameters.key, parameters.action_key))


def _check_type(drive: Drive, cdb: reserve.PersistentOut) -> None:
    if cdb.action in (OutAction.RESERVE, OutAction.PREEMPT, OutAction.PREEMPT_AND_ABORT):
        if cdb.scope:
            raise invalid_cdb(2, 7)
        if cdb.type not in drive.personality.reservation_types:
            raise invalid_cdb(2, 3)


def _check_key(drive: Drive, nexus: Nexus, action: OutAction, key: int) -> None:
    """Only a registered nexus that gives its own key is heard; an unregistered one may register with key 0."""
    if action is OutAction.REGISTER_AND_IGNORE_EXISTING_KEY:
        return
    registered = drive.reservations.keys.get(nexus.name)
    if registered is None and action is OutAction.REGISTER and key == 0:
        return
    if registered is None or registered != key:
        raise ReservedByAnother


def _register(drive: Drive, nexus: Nexus, order: Order) -> None:
    held = drive.reservations
    held.generation += 1
    if order.action_key:
        held.keys[nexus.name] = order.action_key
        return
    held.keys.pop(nexus.name, None)
    if held.kind and (held.holder == nexus.name or not held.keys):
        _released(drive, nexus)


def _reserve(drive: Drive, nexus: Nexus, order: Order) -> None:
    held = drive.reservations
    if held.kind and not (held.holds(nexus.name) and held.kind == order.kind):
        raise ReservedByAnother
    held.holder, held.kind = nexus.name, order.kind


def _release(drive: Drive, nexus: Nexus, order: Order) -> None:
    held = drive.reservations
    if not held.holds(nexus.name):
        return
    if held.kind != order.kind:
        raise illegal(0x26, 0x04)
    _released(drive, nexus)


def _released(drive: Drive, nexus: Nexus) -> None:
    """The reservation ends; those who lived under it are told, and keys bound to it go."""
    held = drive.reservations
    told = held.kind in (5, 6, 7, 8)
    holder = held.holder
    held.drop()
    if told:
        for other in drive.nexuses.others(nexus):
            if other.name in held.keys:
                other.tell(Attention.RESERVATIONS_RELEASED)
    _lost(drive, holder, preempted=False)


def _clear(drive: Drive, nexus: Nexus, order: Order) -> None:
    held = drive.reservations
    holder, registered = held.holder, set(held.keys)
    held.generation += 1
    held.keys.clear()
    held.drop()
    for other in drive.nexuses.others(nexus):
        if other.name in registered:
            other.tell(Attention.RESERVATIONS_PREEMPTED)
    _lost(drive, holder, preempted=False)


def _preempt(drive: Drive, nexus: Nexus, order: Order) -> None:
    """Take registrations with that key away, and the reservation if it was theirs."""
    held = drive.reservations
    victims = [name for name, key in held.keys.items() if key == order.action_key and name != nexus.name]
    takes = bool(held.kind) and (held.keys.get(held.holder) == order.action_key)
    if not victims and not takes:
        raise ReservedByAnother
    held.generation += 1
    old_holder = held.holder
    for name in victims:
        del held.keys[name]
        drive.nexuses.get(name).tell(Attention.REGISTRATIONS_PREEMPTED)
    if takes:
        held.holder, held.kind = nexus.name, order.kind
        if old_holder != nexus.name:
            _lost(drive, old_holder, preempted=True)


ACTIONS: Final[Mapping[OutAction, Callable[[Drive, Nexus, Order], None]]] = {
    OutAction.REGISTER: _register,
    OutAction.RESERVE: _reserve,
    OutAction.RELEASE: _release,
    OutAction.CLEAR: _clear,
    OutAction.PREEMPT: _preempt,
    OutAction.PREEMPT_AND_ABORT: _preempt,
    OutAction.REGISTER_AND_IGNORE_EXISTING_KEY: _register,
}

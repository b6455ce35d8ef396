"""RESERVE, RELEASE and PERSISTENT RESERVE IN (reference 1.8): who holds the drive, taken, given back and told."""

from collections.abc import Callable, Mapping
from typing import Final

from tapekey.exchange import Command
from tapekey.scsi import reserve
from tapekey.scsi.codes import Opcode
from tapekey.scsi.reserve import InAction, Release6, Release10, Reserve6, Reserve10
from tapekey.scsi.transport_id import encode_transport_id
from tapekey.target.nexus import Nexus
from tapekey.target.refusal import ReservedByAnother, invalid_cdb
from tapekey.target.reservable import Reservable
from tapekey.target.reservations import ALL_REGISTRANTS, REGISTRANTS
from tapekey.wire.layout import decode, encode

PORT: Final = 1  # the relative target port; there is one


def reserve_unit(drive: Reservable, nexus: Nexus, command: Command) -> None:
    """RESERVE(6) and (10): the whole unit, for the sender."""
    _check_plain(command.cdb, Reserve6 if command.cdb[0] == Opcode.RESERVE_6 else Reserve10)
    if drive.reservations.keys:
        _check_holder(drive, nexus)
    else:
        drive.reservations.simple = nexus.name


def release_unit(drive: Reservable, nexus: Nexus, command: Command) -> None:
    """RELEASE(6) and (10): another nexus's reservation is left alone, without a word."""
    _check_plain(command.cdb, Release6 if command.cdb[0] == Opcode.RELEASE_6 else Release10)
    if drive.reservations.keys:
        _check_holder(drive, nexus)
    elif drive.reservations.simple == nexus.name:
        drive.reservations.simple = ""
        drive.parameters.reservation_lost(nexus.name, drive.nexuses, preempted=False)


def _check_plain(cdb: bytes, structure: type[Reserve6 | Reserve10 | Release6 | Release10]) -> None:
    """Reservations for third parties and of extents are long obsolete."""
    found = decode(structure, cdb)
    if found.third_party:
        raise invalid_cdb(1, 4)
    if found.extent:
        raise invalid_cdb(1, 0)
    if not isinstance(found, Reserve6 | Release6):
        if found.long_id:
            raise invalid_cdb(1, 1)
        if found.length:
            raise invalid_cdb(7)


def _check_holder(drive: Reservable, nexus: Nexus) -> None:
    """Beside registrations the old commands do nothing, and are GOOD only for who may use the unit (SPC-4 5.12.3)."""
    held = drive.reservations
    member = held.kind in REGISTRANTS and nexus.name in held.keys
    if not held.holds(nexus.name) and not member:
        raise ReservedByAnother


def persistent_in(drive: Reservable, nexus: Nexus, command: Command) -> bytes:
    """PERSISTENT RESERVE IN (5Eh)."""
    cdb = decode(reserve.PersistentIn, command.cdb)
    view = VIEWS.get(cdb.action)
    if view is None:
        raise invalid_cdb(1, 4)
    return view(drive)[: cdb.room]


def _keys(drive: Reservable) -> bytes:
    return reserve.encode_keys(drive.reservations.generation, drive.reservations.keys.values())


def _holder(drive: Reservable) -> bytes:
    held = drive.reservations
    holder = None
    if held.kind:
        key = 0 if held.kind in ALL_REGISTRANTS else held.keys.get(held.holder, 0)
        holder = reserve.Holder(key=key, type=reserve.ReservationType(held.kind))
    return reserve.encode_holder(held.generation, holder)


def _capabilities(drive: Reservable) -> bytes:
    mask = 0
    for kind in drive.personality.reservation_types:
        mask |= 1 << (kind + 8) if kind < 8 else 1
    return encode(
        reserve.Capabilities(
            reserve_and_release=True,
            all_target_ports=True,
            through_power_loss=drive.personality.reservations_persist,
            types_valid=True,
            persistent_now=drive.reservations.through_power_loss,
            types=mask,
        )
    )


def _full_status(drive: Reservable) -> bytes:
    held = drive.reservations
    rows = []
    for name, key in held.keys.items():
        initiator = encode_transport_id(name)
        kind = reserve.ReservationType(held.kind if held.holds(name) else 0)
        header = reserve.RegistrantHeader(
            key=key, all_target_ports=True, holder=held.holds(name), type=kind, port=PORT, length=len(initiator)
        )
        rows.append(reserve.Registrant(header, initiator))
    return reserve.encode_registrants(held.generation, rows)


VIEWS: Final[Mapping[InAction, Callable[[Reservable], bytes]]] = {
    InAction.READ_KEYS: _keys,
    InAction.READ_RESERVATION: _holder,
    InAction.REPORT_CAPABILITIES: _capabilities,
    InAction.READ_FULL_STATUS: _full_status,
}

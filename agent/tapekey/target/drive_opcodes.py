"""REPORT SUPPORTED OPERATION CODES (A3h/0Ch): what the table of commands says of itself (reference 1.9)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from tapekey.exchange import Buffer, Command
from tapekey.scsi import media, opcodes
from tapekey.scsi.codes import Opcode
from tapekey.target.nexus import Nexus
from tapekey.target.refusal import invalid_cdb
from tapekey.target.state import Drive
from tapekey.wire.layout import decode, mask_of, size_of

Handler = Callable[[Drive, Nexus, Command], Buffer | None]

SERVICE_ACTION: Final = 0x1F  # byte 1 of every command that has one
_NEVER_READ: Final = frozenset({"control"})


@dataclass(frozen=True, slots=True)
class Row:
    """A command: its CDB's length, what carries it out, the seconds it may take, and what it reads of the CDB.

    actions   service action to the CDB of it, where byte 1 tells commands of one operation code apart
    unread    fields that the structure has and the command does not look at
    """

    length: int
    handler: Handler
    timeout: float
    structure: type
    actions: Mapping[int, type] | None = None
    unread: frozenset[str] = frozenset()


def row(
    structure: type,
    handler: Handler,
    timeout: float = media.QUICK,
    *,
    actions: Mapping[int, type] | None = None,
    unread: tuple[str, ...] = (),
) -> Row:
    """A row of the table of commands."""
    return Row(size_of(structure), handler, timeout, structure, actions, frozenset(unread))


class Described(Protocol):
    """What a row of any unit's table of commands tells of its command."""

    @property
    def length(self) -> int: ...

    @property
    def timeout(self) -> float: ...

    @property
    def structure(self) -> type: ...

    @property
    def actions(self) -> Mapping[int, type] | None: ...

    @property
    def unread(self) -> frozenset[str]: ...


def report(rows: Mapping[Opcode, Described], command: Command) -> bytes:
    """All commands, or one with the bits of its CDB that are evaluated."""
    cdb = decode(opcodes.ReportOpcodes, command.cdb)
    if cdb.options is opcodes.Options.ALL:
        return opcodes.encode_all(_entries(rows, timeouts=cdb.timeouts))[: cdb.room]
    if cdb.options not in (opcodes.Options.OPCODE, opcodes.Options.SERVICE_ACTION):
        raise invalid_cdb(2, 2)
    found = rows.get(cdb.requested)
    by_action = cdb.options is opcodes.Options.SERVICE_ACTION
    if found is not None and by_action is (found.actions is None):
        raise invalid_cdb(2, 2)
    return opcodes.encode_one(_one(found, cdb))[: cdb.room]


def _one(found: Described | None, cdb: opcodes.ReportOpcodes) -> opcodes.One:
    if found is None or (found.actions is not None and cdb.requested_action not in found.actions):
        return opcodes.One(opcodes.Support.NOT_SUPPORTED)
    action = cdb.requested_action if found.actions is not None else None
    timeouts = _timeouts(found) if cdb.timeouts else None
    return opcodes.One(opcodes.Support.STANDARD, usage(found, cdb.requested, action), timeouts)


def usage(found: Described, opcode: int, action: int | None = None) -> bytes:
    """The CDB usage map: the operation code and service action as they are, ones where a bit is evaluated."""
    structure = found.structure if action is None or found.actions is None else found.actions[action]
    image = bytearray(mask_of(structure, _NEVER_READ | found.unread))
    image[0] = opcode
    if action is not None:
        image[1] = image[1] & ~SERVICE_ACTION | action
    return bytes(image)


def _entries(rows: Mapping[Opcode, Described], *, timeouts: bool) -> list[opcodes.Entry]:
    found = []
    for opcode, known in sorted(rows.items()):
        actions: list[int | None] = [None] if known.actions is None else [*sorted(known.actions)]
        told = _timeouts(known) if timeouts else None
        found += [opcodes.Entry(opcode, known.length, action, told) for action in actions]
    return found


def _timeouts(found: Described) -> opcodes.Timeouts:
    return opcodes.Timeouts(nominal=int(found.timeout) // 2, recommended=int(found.timeout))

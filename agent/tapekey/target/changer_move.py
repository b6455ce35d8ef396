"""MOVE MEDIUM, EXCHANGE MEDIUM, POSITION TO ELEMENT, INITIALIZE and READ ELEMENT STATUS (reference 8).

Those that move wait for the arm, and nobody waits for them but who wants the arm too.
"""

from typing import Final

from tapekey.exchange import Command
from tapekey.scsi import changer as commands
from tapekey.scsi.sense import FieldPointer
from tapekey.target.changer_state import Changer, refused
from tapekey.target.library_robot import Reason, Step, Stuck
from tapekey.target.nexus import Nexus
from tapekey.target.refusal import illegal, invalid_cdb
from tapekey.wire.layout import decode


def move_medium(changer: Changer, nexus: Nexus, command: Command) -> None:
    """MOVE MEDIUM (A5h)."""
    cdb = decode(commands.MoveMedium, command.cdb)
    _check_transport(changer, cdb.transport)
    if cdb.invert:
        raise invalid_cdb(10, 0)
    _carry(changer, (cdb.source, cdb.destination))


def exchange_medium(changer: Changer, nexus: Nexus, command: Command) -> None:
    """EXCHANGE MEDIUM (A6h)."""
    cdb = decode(commands.ExchangeMedium, command.cdb)
    _check_transport(changer, cdb.transport)
    if cdb.invert_first or cdb.invert_second:
        raise invalid_cdb(10, 1 if cdb.invert_first else 0)
    if cdb.source == cdb.first or cdb.first == cdb.second:
        raise illegal(0x21, 0x01, FieldPointer(6, None, in_cdb=True))
    _carry(changer, (cdb.source, cdb.first), (cdb.first, cdb.second))


def position(changer: Changer, nexus: Nexus, command: Command) -> None:
    """POSITION TO ELEMENT (2Bh)."""
    cdb = decode(commands.PositionToElement, command.cdb)
    _check_transport(changer, cdb.transport)
    if cdb.invert:
        raise invalid_cdb(8, 0)
    changer.require_ready()
    try:
        changer.robot.position(cdb.destination)
    except Stuck as stuck:
        raise refused(stuck, {Reason.NO_ELEMENT: FieldPointer(4, None, in_cdb=True)}) from stuck


def initialize(changer: Changer, nexus: Nexus, command: Command) -> None:
    """INITIALIZE ELEMENT STATUS (07h)."""
    changer.robot.inspect()


def initialize_range(changer: Changer, nexus: Nexus, command: Command) -> None:
    """INITIALIZE ELEMENT STATUS WITH RANGE (37h, E7h)."""
    cdb = decode(commands.InitializeRange, command.cdb)
    if not cdb.ranged:
        changer.robot.inspect()
        return
    wanted = range(cdb.first, cdb.first + cdb.count)
    if changer.robot.description.layout.type_of(cdb.first) is None:
        raise illegal(0x21, 0x01, FieldPointer(2, None, in_cdb=True))
    changer.robot.inspect([address for address in changer.robot.inventory.elements if address in wanted])


def read_element_status(changer: Changer, nexus: Nexus, command: Command) -> bytes:
    """READ ELEMENT STATUS (B8h). It never needs motion, so CURDATA changes only what comes before it."""
    cdb = decode(commands.ReadElementStatus, command.cdb)
    if not cdb.type.known:
        raise invalid_cdb(1, 3)
    if not cdb.current:
        changer.require_ready()
    data = changer.board.status(cdb)
    if data is None:
        raise illegal(0x21, 0x01, FieldPointer(2, None, in_cdb=True))
    return data[: cdb.room]


POINTERS: Final = {
    Reason.SOURCE_EMPTY: FieldPointer(4, None, in_cdb=True),
    Reason.DESTINATION_FULL: FieldPointer(6, None, in_cdb=True),
}


def _check_transport(changer: Changer, address: int) -> None:
    if address not in (commands.ANY_TRANSPORT, *changer.robot.description.layout.span(commands.ElementType.TRANSPORT)):
        raise illegal(0x21, 0x01, FieldPointer(2, None, in_cdb=True))


def _carry(changer: Changer, *steps: Step) -> None:
    changer.require_ready()
    try:
        changer.robot.carry(*steps)
    except Stuck as stuck:
        raise refused(stuck, POINTERS) from stuck

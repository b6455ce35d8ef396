"""Mode pages of media changers, SMC-3: element addresses 1Dh, transport geometry 1Eh, device capabilities 1Fh.

Page 1Dh means something else on a tape drive, so these codes are no part of `mode_page.ModePage`.
"""

from dataclasses import dataclass
from typing import Final

from tapekey.scsi.changer import ElementType
from tapekey.wire.layout import bits, uint, wire

ELEMENT_ADDRESSES: Final = 0x1D
TRANSPORT_GEOMETRY: Final = 0x1E
CAPABILITIES: Final = 0x1F


# fmt: off
@wire(size=20)
@dataclass(frozen=True, slots=True)
class ElementAddresses:
    """Element Address Assignment, page 1Dh: the first address and the number of elements of each type."""

    saveable:        bool = bits( 0, 7, 7, bool)
    page:            int  = bits( 0, 5, 0, default=ELEMENT_ADDRESSES)
    length:          int  = uint( 1, 1, default=0x12)
    first_transport: int  = uint( 2, 2)
    transports:      int  = uint( 4, 2)
    first_storage:   int  = uint( 6, 2)
    storages:        int  = uint( 8, 2)
    first_mail_slot: int  = uint(10, 2)
    mail_slots:      int  = uint(12, 2)
    first_drive:     int  = uint(14, 2)
    drives:          int  = uint(16, 2)


@wire(size=4)
@dataclass(frozen=True, slots=True)
class TransportGeometry:
    """Transport Geometry Parameters, page 1Eh, of one transport: it cannot turn cartridges over."""

    saveable:  bool = bits(0, 7, 7, bool)
    page:      int  = bits(0, 5, 0, default=TRANSPORT_GEOMETRY)
    length:    int  = uint(1, 1, default=0x02)
    rotates:   bool = bits(2, 0, 0, bool)
    member:    int  = uint(3, 1)


@wire(size=20)
@dataclass(frozen=True, slots=True)
class Capabilities:
    """Device Capabilities, page 1Fh: who can store, what moves from where to where, what can be exchanged.

    In each byte bit 0 is the transport, bit 1 storage, bit 2 import/export, bit 3 the drives.
    """

    saveable:           bool = bits( 0, 7, 7, bool)
    page:               int  = bits( 0, 5, 0, default=CAPABILITIES)
    length:             int  = uint( 1, 1, default=0x12)
    stores:             int  = bits( 2, 3, 0)
    from_transport:     int  = bits( 4, 3, 0)
    from_storage:       int  = bits( 5, 3, 0)
    from_mail_slot:     int  = bits( 6, 3, 0)
    from_drive:         int  = bits( 7, 3, 0)
    exchange_transport: int  = bits(12, 3, 0)
    exchange_storage:   int  = bits(13, 3, 0)
    exchange_mail_slot: int  = bits(14, 3, 0)
    exchange_drive:     int  = bits(15, 3, 0)
# fmt: on


def flags(*types: ElementType) -> int:
    """The bits of page 1Fh for some element types."""
    return sum(1 << type - ElementType.TRANSPORT for type in types)

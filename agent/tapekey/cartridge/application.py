"""Which software says in a cartridge's memory that the cartridge is its own: host attributes, a claim."""

from collections.abc import Sequence

from tapekey.cartridge import memory
from tapekey.exchange import Transport
from tapekey.scsi.attribute_table import AttributeId

NAMED: Sequence[int] = (AttributeId.APPLICATION_VENDOR, AttributeId.APPLICATION_NAME)


def application(transport: Transport) -> str:
    """Vendor and name as LTFS and Proxmox Backup Server put them down (0800h, 0801h); empty: none is named."""
    return " ".join(word for attribute in NAMED if (word := memory.words(transport, attribute)))

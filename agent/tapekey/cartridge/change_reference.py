"""The cartridge's own count of changes (MAM 0009h): it differs after every write. Not to be polled."""

from tapekey.cartridge import memory
from tapekey.exchange import Transport
from tapekey.scsi.attribute_table import AttributeId

NOT_KNOWN = ({0x00}, {0xFF})  # all zeros or all ones stand for "not known", as LTFS has it


def read(transport: Transport) -> bytes:
    """The value; empty when the attribute does not exist, or says that it is not known."""
    item = memory.read(transport, AttributeId.VOLUME_CHANGE_REFERENCE)
    value = b"" if item is None else item.value
    return b"" if set(value) in NOT_KNOWN else value

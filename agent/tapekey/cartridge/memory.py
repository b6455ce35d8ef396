"""One attribute of the cartridge's memory, read so that "there is none" is only ever the drive's own word."""

from tapekey.errors import Malformed, RequestRefused
from tapekey.exchange import Command, Transport
from tapekey.scsi import attribute
from tapekey.scsi.attribute import Attribute
from tapekey.scsi.run import run

LENGTH_FIELD = 4
NO_SUCH_FIELD = "5/24/00"  # to FIRST ATTRIBUTE IDENTIFIER: the drive does not have the attribute


def read(transport: Transport, identifier: int, partition: int = 0) -> Attribute | None:
    """The attribute, or None when the drive says that it does not exist. Every other refusal is raised."""
    try:
        data = answer(transport, attribute.read_attribute(identifier, partition))
    except RequestRefused as error:
        if error.code != NO_SUCH_FIELD:
            raise
        return None
    return attribute.decode_attribute(data, identifier)


def answer(transport: Transport, command: Command) -> bytes:
    """The data of READ ATTRIBUTE, come as far as it announces or as there was room: what is cut off is no absence.

    A drive that announces the room itself (Quantum LTO-7 HH does) says nothing of the length.
    """
    data = run(transport, command)
    told, room = attribute.announced(data), command.data_in_max
    if told > len(data) - LENGTH_FIELD and len(data) < room and told != room:
        raise Malformed("an attribute list is cut short", why=f"{told} bytes are announced, {len(data)} came in all")
    return data


def number(transport: Transport, identifier: int, partition: int = 0) -> int | None:
    """The attribute's value as a number, or None when it does not exist."""
    item = read(transport, identifier, partition)
    return None if item is None else attribute.number(item)


def words(transport: Transport, identifier: int) -> str:
    """The attribute's text without its padding, foreign characters shown as `?`; empty when it does not exist."""
    item = read(transport, identifier)
    text = "" if item is None else attribute.words(item)
    return "".join(letter if letter.isascii() and letter.isprintable() else "?" for letter in text)

"""READ BUFFER and WRITE BUFFER: an echo buffer, a general one, and no microcode (reference 11.5)."""

from collections.abc import Callable, Mapping
from typing import Final

from tapekey.exchange import Command
from tapekey.scsi import buffer
from tapekey.scsi.buffer import ReadMode, WriteMode
from tapekey.target.buffers import SIZE
from tapekey.target.nexus import Nexus
from tapekey.target.refusal import illegal, invalid_cdb
from tapekey.target.state import Drive
from tapekey.wire.layout import decode, encode


def read_buffer(drive: Drive, nexus: Nexus, command: Command) -> bytes:
    """READ BUFFER (3Ch)."""
    cdb = decode(buffer.ReadBuffer, command.cdb)
    view = VIEWS.get(cdb.mode)
    if view is None:
        raise invalid_cdb(1, 4)
    return view(drive, nexus, cdb)[: cdb.room]


def _descriptor(drive: Drive, nexus: Nexus, cdb: buffer.ReadBuffer) -> bytes:
    """A buffer that does not exist has all zeroes (SPC-4)."""
    return encode(buffer.Descriptor(capacity=SIZE if not cdb.buffer else 0))


def _data(drive: Drive, nexus: Nexus, cdb: buffer.ReadBuffer) -> bytes:
    if cdb.buffer:
        raise invalid_cdb(2)
    if cdb.offset > SIZE:
        raise invalid_cdb(3)
    return drive.buffers.general[cdb.offset :]


def _header_and_data(drive: Drive, nexus: Nexus, cdb: buffer.ReadBuffer) -> bytes:
    if cdb.offset:
        raise invalid_cdb(3)
    return encode(buffer.Descriptor(capacity=SIZE)) + _data(drive, nexus, cdb)


def _echo(drive: Drive, nexus: Nexus, cdb: buffer.ReadBuffer) -> bytes:
    if drive.buffers.echoed_by != nexus.name:
        raise illegal(0x2C, 0x00)
    return drive.buffers.echo


def _echo_descriptor(drive: Drive, nexus: Nexus, cdb: buffer.ReadBuffer) -> bytes:
    return encode(buffer.EchoDescriptor(overwritten_by_others=True, capacity=SIZE))


VIEWS: Final[Mapping[ReadMode, Callable[[Drive, Nexus, buffer.ReadBuffer], bytes]]] = {
    ReadMode.HEADER_AND_DATA: _header_and_data,
    ReadMode.DATA: _data,
    ReadMode.DESCRIPTOR: _descriptor,
    ReadMode.ECHO: _echo,
    ReadMode.ECHO_DESCRIPTOR: _echo_descriptor,
}


def write_buffer(drive: Drive, nexus: Nexus, command: Command) -> None:
    """WRITE BUFFER (3Bh): data and echo; every form of microcode is refused."""
    cdb = decode(buffer.WriteBuffer, command.cdb)
    if cdb.mode not in (WriteMode.DATA, WriteMode.ECHO):
        raise invalid_cdb(1, 4)
    if cdb.mode is WriteMode.DATA and cdb.buffer:
        raise invalid_cdb(2)
    offset = cdb.offset if cdb.mode is WriteMode.DATA else 0
    if offset + cdb.length > SIZE:
        raise invalid_cdb(6)
    data = bytes(drive.plain_out(command, cdb.length))
    if cdb.mode is WriteMode.ECHO:
        drive.buffers.echo, drive.buffers.echoed_by = data, nexus.name
    else:
        old = drive.buffers.general
        drive.buffers.general = old[:offset] + data + old[offset + len(data) :]

"""A loopback relay before an iSCSI target that says what a tape cannot: a capacity.

iscsi-test-cu ends at once on a device without READ CAPACITY. The relay sends INQUIRY in its stead, which no
unit attention and no reservation stops, and puts a capacity where the INQUIRY data comes back; so sequence numbers stay
the two sides' own. Everything else passes as it is. Without digests (RFC 7143 section 11.2).
"""

import contextlib
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

BLOCKS: Final = 2048
BLOCK_SIZE: Final = 512
BHS: Final = 48
SCSI_COMMAND, DATA_IN = 0x01, 0x25
CAPACITY_10, SERVICE_ACTION_IN, INQUIRY = 0x25, 0x9E, 0x12


@dataclass(slots=True)
class Faked:
    """The commands of one connection whose answer is still to be replaced, by initiator task tag."""

    answers: dict[bytes, bytes] = field(default_factory=dict)

    def sent(self, header: bytearray) -> None:
        """Turn a READ CAPACITY into an INQUIRY of as many bytes."""
        cdb = header[32:48]
        answer = None
        if header[0] & 0x3F == SCSI_COMMAND and cdb[0] == CAPACITY_10:
            answer, room = struct.pack(">II", BLOCKS - 1, BLOCK_SIZE), 8
        elif header[0] & 0x3F == SCSI_COMMAND and cdb[0] == SERVICE_ACTION_IN and cdb[1] & 0x1F == 0x10:
            answer = struct.pack(">QI", BLOCKS - 1, BLOCK_SIZE).ljust(32, b"\0")
            room = min(32, struct.unpack_from(">I", cdb, 10)[0])
        if answer is not None:
            header[32:48] = bytes([INQUIRY, 0, 0, 0, room, 0]).ljust(16, b"\0")
            self.answers[bytes(header[16:20])] = answer

    def came(self, header: bytearray, data: bytearray) -> None:
        """Put the capacity where the INQUIRY data is."""
        if header[0] & 0x3F == DATA_IN and (answer := self.answers.pop(bytes(header[16:20]), None)):
            size = min(len(answer), int.from_bytes(header[5:8], "big"))
            data[:size] = answer[:size]


@contextmanager
def relayed(target: tuple[str, int]) -> Iterator[tuple[str, int]]:
    """Listen on a port of this host for as long as the context lasts."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        links: list[socket.socket] = []
        thread = threading.Thread(target=_accept, args=(listener, target, links))
        thread.start()
        try:
            yield listener.getsockname()
        finally:
            for link in (listener, *links):
                with contextlib.suppress(OSError):
                    link.shutdown(socket.SHUT_RDWR)
            thread.join()


def _accept(listener: socket.socket, target: tuple[str, int], links: list[socket.socket]) -> None:
    threads: list[threading.Thread] = []
    with contextlib.suppress(OSError):
        while True:
            near, _ = listener.accept()
            far, faked = socket.create_connection(target), Faked()
            links += [near, far]
            for link in (near, far):
                link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for one, other, back in ((near, far, False), (far, near, True)):
                threads.append(threading.Thread(target=_pass, args=(one, other, faked, back)))
                threads[-1].start()
    for thread in threads:
        thread.join()
    for link in links:
        link.close()


def _pass(source: socket.socket, sink: socket.socket, faked: Faked, back: bool) -> None:
    with contextlib.suppress(OSError, EOFError):
        while True:
            header = _exactly(source, BHS)
            ahs, size = header[4] * 4, int.from_bytes(header[5:8], "big")
            rest = _exactly(source, ahs + (size + 3) // 4 * 4)
            if back:
                faked.came(header, rest)
            else:
                faked.sent(header)
            sink.sendall(header + rest)
    for link in (source, sink):
        with contextlib.suppress(OSError):
            link.shutdown(socket.SHUT_RDWR)


def _exactly(link: socket.socket, size: int) -> bytearray:
    data = bytearray(size)
    view, done = memoryview(data), 0
    while done < size:
        count = link.recv_into(view[done:])
        if not count:
            raise EOFError
        done += count
    view.release()
    return data

"""Gives unmodified SG_IO programs a virtual drive as /dev/sg0 and /dev/nst0, through umockdev.

Run as: umockdev-wrapper /usr/bin/python3 bridge.py SOCKET COMMAND [ARGUMENT...]
Debian's own interpreter is needed for its GObject bindings; the drive itself is a served one, reached through its
socket, so that the key outlives each client. Offsets are those of struct sg_io_hdr on 64-bit Linux.
"""

import struct
import subprocess
import sys
import threading
from pathlib import Path

import gi

sys.path.insert(0, str(Path(__file__).parents[2] / "agent"))
gi.require_version("UMockdev", "1.0")
from gi.repository import GLib, UMockdev  # noqa: E402

from tapekey.exchange import Command, Transport  # noqa: E402
from tapekey.transport.socket import connect  # noqa: E402

SG_IO = 0x2285
SG_GET_VERSION_NUM = 0x2282
SG_SET_TIMEOUT = 0x2201
SCSI_IOCTL_GET_IDLUN = 0x5382
ENOTTY = 25
TO_DEVICE, FROM_DEVICE = -2, -3
CHECK_CONDITION = 2
DRIVER_SENSE = 8
CDB_POINTER, DATA_POINTER, SENSE_POINTER, ANSWER = 24, 16, 32, 64

HOST = "/devices/pci0000:00/0000:00:05.0/host0/target0:0:0/0:0:0:0"
DEVICES = f"""P: {HOST}
E: SUBSYSTEM=scsi
E: DEVTYPE=scsi_device
A: type=1\\n
A: vendor=IBM\\n
A: model=ULT3580-TD6\\n

P: {HOST}/scsi_generic/sg0
N: sg0
A: dev=21:0\\n
L: device=../..
E: DEVNAME=/dev/sg0
E: SUBSYSTEM=scsi_generic
E: MAJOR=21
E: MINOR=0

P: {HOST}/scsi_tape/nst0
N: nst0
A: dev=9:128\\n
L: device=../..
E: DEVNAME=/dev/nst0
E: SUBSYSTEM=scsi_tape
E: MAJOR=9
E: MINOR=128
"""


class Drive(UMockdev.IoctlBase):  # type: ignore[misc]
    """Answers SG_IO by handing the command to a transport."""

    transport: Transport

    def do_handle_ioctl(self, client: UMockdev.IoctlClient) -> bool:
        request = client.get_request()
        if request == SG_GET_VERSION_NUM:
            client.get_arg().resolve(0, 4).update(0, list(struct.pack("<i", 30536)))
            client.complete(0, 0)
        elif request == SG_SET_TIMEOUT:  # mtx sets it, and asks by SG_IO with a time-out of its own
            client.complete(0, 0)
        elif request == SCSI_IOCTL_GET_IDLUN:
            client.get_arg().resolve(0, 8).update(0, [0] * 8)
            client.complete(0, 0)
        elif request == SG_IO:
            self.serve(client.get_arg().resolve(0, 88))
            client.complete(0, 0)
        else:
            client.complete(-1, ENOTTY)
        return True

    def serve(self, header: UMockdev.IoctlData) -> None:
        raw = bytes(header.retrieve())
        _, direction, cdb_length, sense_room, _, length = struct.unpack_from("<iiBBHI", raw)
        cdb = bytes(header.resolve(CDB_POINTER, cdb_length).retrieve())
        out = bytes(header.resolve(DATA_POINTER, length).retrieve()) if direction == TO_DEVICE and length else b""
        room = length if direction == FROM_DEVICE else 0
        reply = self.transport.execute(Command(cdb, out, room))
        if reply.data_in and room:
            header.resolve(DATA_POINTER, length).update(0, list(reply.data_in))
        sense = reply.sense[:sense_room]
        if sense:
            header.resolve(SENSE_POINTER, sense_room).update(0, list(sense))
        residual = length - (len(out) if direction == TO_DEVICE else len(reply.data_in))
        driver = DRIVER_SENSE if sense else 0
        tail = (reply.status, reply.status >> 1, 0, len(sense), 0, driver, residual, 0, 1 if reply.status else 0)
        header.update(ANSWER, list(struct.pack("<BBBBHHiII", *tail)))


def main() -> int:
    """Serve the two nodes while the command runs; its exit status is ours."""
    socket, *command = sys.argv[1:]
    with connect(socket) as transport:
        testbed = UMockdev.Testbed.new()
        testbed.add_from_string(DEVICES)
        drive = Drive()
        drive.transport = transport
        for node in ("/dev/sg0", "/dev/nst0"):
            testbed.attach_ioctl(node, drive)
        loop = GLib.MainLoop()
        threading.Thread(target=loop.run, daemon=True).start()
        done = subprocess.run(command, timeout=60, check=False)
        loop.quit()
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())

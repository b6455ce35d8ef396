"""Plays udev for a follower of tape devices: a drive comes, gets its tape node, is reset, and goes.

Run as: umockdev-wrapper /usr/bin/python3 uevents.py PROGRAM [ARGUMENT...]
PROGRAM says `ready` on a line of its own once it listens; its lines up to then and after go through.
"""

import subprocess
import sys
import time

import gi

gi.require_version("UMockdev", "1.0")
from gi.repository import UMockdev  # noqa: E402

DEVICE = "/devices/pseudo_0/adapter0/host2/target2:0:0/2:0:0:0"
SCSI = f"""P: {DEVICE}
E: SUBSYSTEM=scsi
E: DEVTYPE=scsi_device
A: type=1\\n
A: vendor=Linux   \\n
A: model=scsi_debug      \\n

"""
SG = f"""P: {DEVICE}/scsi_generic/sg0
N: sg0
E: DEVNAME=/dev/sg0
E: SUBSYSTEM=scsi_generic
E: MAJOR=21
E: MINOR=0
L: device=../../../2:0:0:0

"""
ST = f"""P: {DEVICE}/scsi_tape/nst0
N: nst0
E: DEVNAME=/dev/nst0
E: SUBSYSTEM=scsi_tape
E: MAJOR=9
E: MINOR=128
L: device=../../../2:0:0:0

"""
PAUSE = 0.4  # longer than a batch of events is waited for


def main() -> int:
    """Play the events; the program's exit status is ours."""
    testbed = UMockdev.Testbed.new()
    testbed.add_from_string("P: /devices/virtual/misc/none\nE: SUBSYSTEM=misc\n")
    with subprocess.Popen(sys.argv[1:], stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        for line in program.stdout:
            print(line, end="")
            if line == "ready\n":
                break
        testbed.add_from_string(SCSI + SG)
        testbed.uevent(f"/sys{DEVICE}/scsi_generic/sg0", "add")
        time.sleep(PAUSE)
        testbed.add_from_string(ST)
        testbed.uevent(f"/sys{DEVICE}/scsi_tape/nst0", "add")
        time.sleep(PAUSE)
        testbed.set_property(f"/sys{DEVICE}", "SDEV_UA", "POWER_ON_RESET_OCCURRED")
        testbed.uevent(f"/sys{DEVICE}", "change")
        time.sleep(PAUSE)
        testbed.uevent(f"/sys{DEVICE}/scsi_generic/sg0", "remove")
        testbed.remove_device(f"/sys{DEVICE}/scsi_generic/sg0")
        for line in program.stdout:
            print(line, end="")
        return program.wait(20)


if __name__ == "__main__":
    sys.exit(main())

"""A sysfs tree in a directory, as the kernel lays it out for SCSI devices."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

SAS = "/devices/pci0000:00/0000:00:03.1/0000:2b:00.0/host4/port-4:0/end_device-4:0/target4:0:0"
FC = "/devices/pci0000:00/0000:00:02.0/0000:04:00.1/host3/rport-3:0-2/target3:0:0"
SPI = "/devices/pci0000:00/0000:00:1e.0/0000:05:01.0/host1/target1:0:5"
ISCSI = "/devices/platform/host2/session1/target2:0:0"  # as measured in the kernel guest
USB = "/devices/pci0000:00/0000:00:14.0/usb2/2-1/2-1.3/2-1.3:1.0/host6/target6:0:0"
DEBUG = "/devices/pseudo_0/adapter0/host7/target7:0:0"
LOOP = "/devices/tcm_loop_0/tcm_loop_adapter_0/host5/target5:0:1"
MHVTL = "/devices/pseudo_9/adapter0/host8/target8:0:1"
VIRTIO = "/devices/pci0000:00/0000:00:06.0/virtio3/host0/target0:0:2"
RAID = "/devices/pci0000:00/0000:00:01.0/0000:01:00.0/host9/target9:1:0"

SERIAL_PAGE = bytes.fromhex("0180000a") + b"10WT012345"  # VPD 80h: SPC-4 7.8.18
NAA = bytes.fromhex("5000e11155667788")


@dataclass(frozen=True)
class Tree:
    """The directory that stands for /sys."""

    sys: Path

    def file(self, path: str, content: bytes | str) -> None:
        place = self.sys / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content.encode() if isinstance(content, str) else content)

    def link(self, path: str, to: str) -> None:
        place = self.sys / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(os.path.relpath(self.sys / to.lstrip("/"), place.parent))

    def device(self, target: str, lun: int = 0, kind: int = 1, *, sg: int | None = 0, **more: str | bytes) -> str:
        """A SCSI device behind a target, with an sg node; its path. Further words become files of the device."""
        numbers = target.rpartition("/target")[2]
        place = f"{target}/{numbers}:{lun}"
        facts: dict[str, str | bytes] = {"vendor": "IBM     ", "model": "ULT3580-TD6     ", "rev": "G350"}
        for name, content in {"type": f"{kind}\n", **facts, **more}.items():
            self.file(f"{place}/{name}", content)
        if sg is not None:
            self.node(place, "scsi_generic", f"sg{sg}", (21, sg))
        return place

    def node(self, place: str, group: str, name: str, number: tuple[int, int]) -> None:
        """A node of a class under a device."""
        entry = f"{place}/{group}/{name}"
        self.file(f"{entry}/dev", f"{number[0]}:{number[1]}\n")
        self.link(f"{entry}/device", place)
        self.link(f"class/{group}/{name}", entry)
        self.link(f"dev/char/{number[0]}:{number[1]}", entry)

    def tape(self, place: str, number: int = 0) -> None:
        """The st driver bound, with two of its eight nodes and two that differ in their mode."""
        self.link(f"{place}/driver", "bus/scsi/drivers/st")
        for name, minor in (("st", 0), ("stm", 64), ("nst", 128), ("nsta", 224)):
            stem, mode = (name, "") if name in ("st", "nst") else (name[:-1], name[-1])
            self.node(place, "scsi_tape", f"{stem}{number}{mode}", (9, minor + number))

    def host(self, name: str, driver: str) -> None:
        self.file(f"class/scsi_host/{name}/proc_name", driver + "\n")

    def gone(self, place: str) -> None:
        """Unplug: the class entries dangle no more, the device is away."""
        for entry in (self.sys / "class").glob("*/*"):
            if entry.is_symlink() and os.path.realpath(entry).startswith(os.path.realpath(self.sys) + place):
                entry.unlink()
        shutil.rmtree(self.sys / place.lstrip("/"))


def designators(*names: tuple[int, int, bytes]) -> bytes:
    """VPD 83h (SPC-4 7.8.6): (association, type, value), binary."""
    body = b"".join(bytes([1, association << 4 | kind, 0, len(value)]) + value for association, kind, value in names)
    return bytes([1, 0x83]) + len(body).to_bytes(2) + body

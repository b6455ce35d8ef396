"""How a SCSI device is attached, read off its place in sysfs: which kind of link, at which port.

The names are those of the kernel's transport classes (scsi_transport_sas, _fc, _iscsi, _spi), of USB, and of its
pseudo devices. Only names are judged here; the few files that hold port addresses are read by `sysfs`.
"""

import re
from dataclasses import dataclass
from enum import Enum
from typing import Final


class Link(Enum):
    """Kinds of attachment; the words are those of `tapekey drive approve --allow`."""

    SAS = "sas"
    FIBRE_CHANNEL = "fc"
    PARALLEL = "scsi"
    ISCSI = "iscsi"
    USB = "usb"
    SCSI_DEBUG = "scsi-debug"
    VIRTUAL = "virtual"  # a host adapter made of software: loopback targets, library emulations, paravirtual ones
    OTHER = "other"


# What stands in the machine and is cabled to it. Everything else is accepted only when it is named.
TRUSTED: Final = frozenset({Link.SAS, Link.FIBRE_CHANNEL, Link.PARALLEL})
# Ports of these have addresses that nobody else on the same fabric has.
ADDRESSED: Final = frozenset({Link.SAS, Link.FIBRE_CHANNEL, Link.ISCSI})

PARAVIRTUAL: Final = frozenset({"virtio_scsi", "vmw_pvscsi", "storvsc_host_t", "xen_front", "tcm_loopback"})
PSEUDO = re.compile(r"pseudo_\d+|tcm_loop_\d+|virtio\d+")
PCI = re.compile(r"[0-9a-f]{4,}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]")
HOST = re.compile(r"host\d+")
USB_PORT = re.compile(r"\d+-\d+(\.\d+)*")

# A directory of this name on the way to the device says which link it is.
# fmt: off
MARKS: Final = (
    (Link.USB,           re.compile(r"usb\d+")),
    (Link.SAS,           re.compile(r"end_device-\d+:\d+(:\d+)*")),
    (Link.FIBRE_CHANNEL, re.compile(r"rport-\d+:\d+-\d+")),
    (Link.ISCSI,         re.compile(r"session\d+")),
)
# fmt: on


@dataclass(frozen=True, slots=True)
class Attachment:
    """The link, and the directory on the way that names the port (empty where the link has none)."""

    link: Link
    port: str = ""


def judge(place: str, driver: str, *, parallel: bool = False) -> Attachment:
    """Tell the link from the device's path, the host adapter's driver, and whether the target is on a parallel bus."""
    parts = place.split("/")
    if driver == "scsi_debug":
        return Attachment(Link.SCSI_DEBUG)
    if driver in PARAVIRTUAL or any(PSEUDO.fullmatch(part) for part in parts):
        return Attachment(Link.VIRTUAL)
    for link, mark in MARKS:
        found = [part for part in parts if mark.fullmatch(part)]
        if found:
            return Attachment(link, found[-1])
    return Attachment(Link.PARALLEL if parallel else Link.OTHER)


def host(place: str) -> str:
    """The host adapter's directory, such as host2."""
    return next((part for part in place.split("/") if HOST.fullmatch(part)), "")


def lasting(place: str, link: Link, address: str) -> str:
    """The same place in words that outlive a restart: PCI function, link, port address, channel:target, LUN."""
    parts = place.split("/")
    pci = [part for part in parts if PCI.fullmatch(part)]
    usb = [part for part in parts if USB_PORT.fullmatch(part)]
    _, _, within = parts[-1].partition(":")
    channel_target, _, lun = within.rpartition(":")
    port = address or (usb[-1] if link is Link.USB and usb else channel_target)
    return "-".join([*(f"pci-{name}" for name in pci[-1:] if link is not Link.ISCSI), link.value, port, f"lun-{lun}"])

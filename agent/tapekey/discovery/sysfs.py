"""The tape drives and changers of this host as sysfs shows them: each SCSI generic node with what belongs to it.

A node is an address. Who a drive is, it says itself: the two VPD pages here are the kernel's copies from when it found
the device. Nothing in /dev is opened and no command is sent. Whatever goes away while we look is left out.
"""

import os
import re
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from typing import Final

from tapekey.discovery import attachment
from tapekey.discovery.attachment import Link

SYS: Final = Path("/sys")
ST = re.compile(r"st\d+")
NST = re.compile(r"nst\d+")
IBM_NODE = re.compile(r"IBM(tape|changer)\d+")
LIN_TAPE: Final = "lin_tape"


class Kind(Enum):
    """What a node is; the values are SCSI peripheral device types as sysfs prints them."""

    DRIVE = "1"
    CHANGER = "8"


@dataclass(frozen=True, slots=True)
class Node:
    """One SCSI generic node. `place` is its device's path in sysfs; `lasting` the same without the kernel's numbers."""

    sg: str
    kind: Kind
    place: str
    link: Link = Link.OTHER
    port: str = ""  # address of the target port: SAS address, FC port name, iSCSI target name
    lasting: str = ""
    driver: str = ""  # st, ch, lin_tape; empty: none is bound
    st: str | None = None
    nst: str | None = None
    ibm: str | None = None  # lin_tape's own node
    changer: str | None = None  # the changer behind the same target, by its sg node
    vendor: str = ""
    product: str = ""
    revision: str = ""
    serial_page: bytes = b""  # VPD 80h and 83h as the kernel read them; empty: not kept, or the device has none
    designators_page: bytes = b""

    @property
    def path(self) -> str:
        return f"/dev/{self.sg}"

    @property
    def hctl(self) -> str:
        """Host, channel, target and LUN, as in 2:0:0:0."""
        return self.place.rpartition("/")[2]

    @property
    def target(self) -> str:
        return self.place.rpartition("/")[0]


def scan(sys: Path = SYS) -> tuple[Node, ...]:
    """Every SCSI generic node of a tape drive or changer, in the order of its number."""
    entries = sorted((sys / "class/scsi_generic").glob("sg*"), key=_number)
    nodes = [node for entry in entries if (node := _node(sys, entry)) is not None]
    changers = {node.target: node.sg for node in nodes if node.kind is Kind.CHANGER}
    return tuple(
        replace(node, changer=changers.get(node.target)) if node.kind is Kind.DRIVE else node for node in nodes
    )


def _node(sys: Path, entry: Path) -> Node | None:
    device = entry / "device"
    kind = text(device / "type")
    if kind not in {each.value for each in Kind}:
        return None
    place = "/" + os.path.relpath(os.path.realpath(device), os.path.realpath(sys))
    host_driver = text(sys / "class/scsi_host" / attachment.host(place) / "proc_name")
    attached = attachment.judge(place, host_driver, parallel=_on_parallel_bus(sys, place))
    address = _address(sys, attached)
    names = sorted(_names(device / "scsi_tape"))
    return Node(
        sg=entry.name,
        kind=Kind(kind),
        place=place,
        link=attached.link,
        port=address,
        lasting=attachment.lasting(place, attached.link, address),
        driver=_driver(device),
        st=next(filter(ST.fullmatch, names), None),
        nst=next(filter(NST.fullmatch, names), None),
        ibm=next(filter(IBM_NODE.fullmatch, sorted(_names(device / LIN_TAPE))), None),
        vendor=text(device / "vendor"),
        product=text(device / "model"),
        revision=text(device / "rev"),
        serial_page=content(device / "vpd_pg80"),
        designators_page=content(device / "vpd_pg83"),
    )


def _address(sys: Path, attached: attachment.Attachment) -> str:
    files = {
        Link.SAS: ("sas_device", "sas_address"),
        Link.FIBRE_CHANNEL: ("fc_remote_ports", "port_name"),
        Link.ISCSI: ("iscsi_session", "targetname"),
    }
    if attached.link not in files:
        return ""
    group, file = files[attached.link]
    return text(sys / "class" / group / attached.port / file)


def _on_parallel_bus(sys: Path, place: str) -> bool:
    target = place.rpartition("/")[0].rpartition("/")[2]
    return (sys / "class/spi_transport" / target).exists()


def _driver(device: Path) -> str:
    try:
        return os.path.basename(os.readlink(device / "driver"))
    except OSError:
        return ""


def _names(directory: Path) -> list[str]:
    try:
        return os.listdir(directory)
    except OSError:
        return []


def _number(node: Path) -> int:
    digits = node.name.removeprefix("sg")
    return int(digits) if digits.isdigit() else -1


def content(file: Path) -> bytes:
    """A file of sysfs; empty when it is not there, or went while we looked."""
    try:
        return file.read_bytes()
    except OSError:
        return b""


def text(file: Path) -> str:
    """The same as text, trimmed."""
    return content(file).decode("ascii", "replace").strip()

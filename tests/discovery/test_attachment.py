"""Links by their names in sysfs: scsi_transport_{sas,fc,iscsi,spi} of the kernel, and what guests were seen to have."""

import pytest

from tapekey.discovery.attachment import TRUSTED, Attachment, Link, host, judge, lasting
from tests.discovery import tree

PLACES = {
    "sas": (tree.SAS, "mpt3sas", Attachment(Link.SAS, "end_device-4:0")),
    "sas behind an expander": (
        "/devices/pci0000:00/0000:02:00.0/host0/port-0:0/expander-0:0/port-0:0:3/end_device-0:0:3/target0:0:3",
        "mpt3sas",
        Attachment(Link.SAS, "end_device-0:0:3"),
    ),
    "fibre channel": (tree.FC, "qla2xxx", Attachment(Link.FIBRE_CHANNEL, "rport-3:0-2")),
    "iscsi": (tree.ISCSI, "iscsi_tcp", Attachment(Link.ISCSI, "session1")),
    "usb": (tree.USB, "usb-storage", Attachment(Link.USB, "usb2")),
    "scsi_debug": (tree.DEBUG, "scsi_debug", Attachment(Link.SCSI_DEBUG)),
    "an emulated library": (tree.MHVTL, "mhvtl", Attachment(Link.VIRTUAL)),
    "loopback target": (tree.LOOP, "tcm_loopback", Attachment(Link.VIRTUAL)),
    "paravirtual": (tree.VIRTIO, "virtio_scsi", Attachment(Link.VIRTUAL)),
    "not known": (tree.RAID, "megaraid_sas", Attachment(Link.OTHER)),
}  # fmt: skip


@pytest.mark.parametrize(("place", "driver", "attached"), PLACES.values(), ids=PLACES)
def test_the_link_is_told_from_the_path(place: str, driver: str, attached: Attachment) -> None:
    assert judge(place + "/0:0:0:0", driver) == attached


def test_a_parallel_bus_is_told_by_its_transport_class() -> None:
    assert judge(tree.SPI + "/1:0:5:0", "aic7xxx", parallel=True).link is Link.PARALLEL


def test_software_is_never_trusted_unasked_and_neither_is_the_unknown() -> None:
    assert {Link.SAS, Link.FIBRE_CHANNEL, Link.PARALLEL} == TRUSTED


def test_a_path_has_one_host() -> None:
    assert host(tree.ISCSI) == "host2"
    assert host("/devices/platform") == ""


LASTING = {
    "sas": (tree.SAS + "/4:0:0:0", Link.SAS, "0x500104f000d0e0f1", "pci-0000:2b:00.0-sas-0x500104f000d0e0f1-lun-0"),
    "iscsi": (tree.ISCSI + "/2:0:0:1", Link.ISCSI, "iqn.2026-01.test:t", "iscsi-iqn.2026-01.test:t-lun-1"),
    "usb": (tree.USB + "/6:0:0:0", Link.USB, "", "pci-0000:00:14.0-usb-2-1.3-lun-0"),
    "parallel": (tree.SPI + "/1:0:5:0", Link.PARALLEL, "", "pci-0000:05:01.0-scsi-0:5-lun-0"),
    "scsi_debug": (tree.DEBUG + "/7:0:0:0", Link.SCSI_DEBUG, "", "scsi-debug-0:0-lun-0"),
}


@pytest.mark.parametrize(("place", "link", "address", "words"), LASTING.values(), ids=LASTING)
def test_a_lasting_place_has_no_number_that_the_kernel_hands_out(
    place: str, link: Link, address: str, words: str
) -> None:
    assert lasting(place, link, address) == words

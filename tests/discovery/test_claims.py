from dataclasses import replace
from typing import Any

import pytest

from tapekey.discovery.attachment import Link
from tapekey.discovery.claims import Claim, group
from tapekey.discovery.sysfs import Kind, Node
from tests.discovery.tree import NAA

OTHER_NAA = bytes.fromhex("5000e111aabbccdd")
PORTS = ("0x500104f000d0e0f1", "0x500104f000d0e0f2")


def node(number: int, link: Link = Link.SAS, port: str = "", target: str = "") -> Node:
    where = target or f"/devices/host{number}/target{number}:0:0"
    return Node(f"sg{number}", Kind.DRIVE, f"{where}/{number}:0:0:0", link, port, vendor="IBM", product="ULT3580-TD6")


def claim(number: int, serial: str = "A", naa: bytes = NAA, relative: int | None = None, **more: Any) -> Claim:
    return Claim(node(number, **more), serial, naa, relative)


def groups(*claims: Claim) -> list[tuple[list[str], bool]]:
    return [([each.node.sg for each in one.claims], not one.refused) for one in group(claims)]


ONE, REFUSED = [(["sg0", "sg1"], True)], [(["sg0", "sg1"], False)]
TWO = [(["sg0"], True), (["sg1"], True)]
FIRST: dict[str, Any] = {"relative": 1, "port": PORTS[0]}
SECOND: dict[str, Any] = {"relative": 2, "port": PORTS[1]}
ISCSI: dict[str, Any] = {"link": Link.ISCSI, "port": "iqn.t"}
DEBUG: dict[str, Any] = {"link": Link.SCSI_DEBUG}

# fmt: off
CASES = {
    "strangers":                       ([claim(0), claim(1, "B", OTHER_NAA)], TWO),
    "two numbered ports of one drive": ([claim(0, **FIRST), claim(1, **SECOND)], ONE),
    "one port by two adapters":        ([claim(0, port=PORTS[0]), claim(1, port=PORTS[0])], ONE),
    "two sessions to one target":      ([claim(0, **ISCSI), claim(1, **ISCSI)], ONE),
    "one name, one relative port":     ([claim(0, **FIRST), claim(1, relative=1, port=PORTS[1])], REFUSED),
    "one name, ports not told":        ([claim(0, port=PORTS[0]), claim(1, port=PORTS[1])], REFUSED),
    "one name on scsi_debug":          ([claim(0, **DEBUG, relative=1), claim(1, **DEBUG, relative=2)], REFUSED),
    "one name over two links":         ([claim(0, **FIRST), claim(1, **SECOND, link=Link.FIBRE_CHANNEL)], REFUSED),
    "one serial, two NAAs":            ([claim(0), claim(1, naa=OTHER_NAA)], REFUSED),
    "one NAA, two serials":            ([claim(0), claim(1, "B")], REFUSED),
    "one serial and no NAA":           ([claim(0, naa=b"", **FIRST), claim(1, naa=b"", **SECOND)], REFUSED),
    "nameless ones are not one":       ([claim(0, "", b""), claim(1, "", b"")], TWO),
    "two LUNs of one target":          ([claim(0, port=PORTS[0], target="/t"), claim(1, port=PORTS[0], target="/t")],
                                        REFUSED),
    "a third joins two strangers":     ([claim(0), claim(1, "B", OTHER_NAA), claim(2, "A", OTHER_NAA)],
                                        [(["sg0", "sg1", "sg2"], False)]),
}
# fmt: on


@pytest.mark.parametrize(("claims", "wanted"), CASES.values(), ids=CASES)
def test_nodes_are_one_drive_only_with_evidence(claims: list[Claim], wanted: list[tuple[list[str], bool]]) -> None:
    assert groups(*claims) == wanted


def test_firmware_that_differs_is_no_dual_port_drive() -> None:
    other = claim(1, relative=2, port=PORTS[1])
    other = replace(other, node=replace(other.node, revision="OLD"))
    assert group((claim(0, relative=1, port=PORTS[0]), other))[0].refused


def test_the_refusal_names_both_nodes_and_the_identity() -> None:
    (only,) = group((claim(0), claim(1, naa=OTHER_NAA)))
    assert only.refused == "/dev/sg0 and /dev/sg1 both claim serial number A, with different NAAs"

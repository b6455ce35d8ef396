"""How a drive is reached: by which door, under which guard, and not at all where two claim one name."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tapekey import config
from tapekey.config import Config
from tapekey.discovery.attachment import Link
from tapekey.discovery.sysfs import Kind, Node
from tapekey.service import ways
from tapekey.service.own_nexus import OwnNexus
from tapekey.service.tape_node import TapeNode
from tapekey.transport.tape_driver import UNWATCHED
from tests.waist import scripted

SETTINGS = Config(Path("/nowhere"), agent=config.Agent(gate=True))


def node(number: int, serial: str = "", **more: Any) -> Node:
    page = bytes([1, 0x80, 0, len(serial)]) + serial.encode() if serial else b""
    said: dict[str, Any] = {"kind": Kind.DRIVE, "nst": f"nst{number}", "serial_page": page, "link": Link.SAS}
    return Node(f"sg{number}", place=f"/devices/{number}:0:0:0", **said | more)


def test_a_drive_of_the_kernels_tape_driver_is_entered_by_its_node_and_held_there() -> None:
    way = ways.of_node(node(3), SETTINGS, UNWATCHED)
    door = way.door(scripted())
    assert isinstance(door, TapeNode)
    assert (way.where, way.node, door.path, way.gate) == ("/dev/sg3", "/dev/nst3", "/dev/nst3", True)
    assert not way.options.way.exposes


def test_the_gate_stands_only_where_it_was_wanted_and_can_be_shut() -> None:
    without = replace(SETTINGS, agent=config.Agent(gate=False))
    assert not ways.of_node(node(3), without, UNWATCHED).gate
    alone = ways.of_node(node(3, nst=None), SETTINGS, UNWATCHED)
    assert (alone.gate, alone.node) == (False, "")
    assert isinstance(alone.door(scripted()), OwnNexus)


@pytest.mark.parametrize(("uri", "network", "exposes"), [("virtual:/a", False, False), ("iscsi://h/t/0", True, True)])
def test_a_drive_by_its_uri_is_entered_by_a_nexus_of_our_own(uri: str, network: bool, exposes: bool) -> None:
    way = ways.of_uri(uri, SETTINGS)
    assert (way.where, way.gate, way.node) == (uri, False, "")
    assert isinstance(way.door(scripted()), OwnNexus)
    assert (way.options.way.network, way.options.way.exposes) == (network, exposes)
    assert not ways.of_uri(uri, replace(SETTINGS, allow_clear_key="iscsi")).options.way.exposes


def test_a_drive_behind_the_kernels_iscsi_is_on_a_network_too() -> None:
    way = ways.of_node(node(3, link=Link.ISCSI), SETTINGS, UNWATCHED)
    assert (way.options.way.network, way.options.way.exposes) == (True, True)


def test_each_drive_is_served_once_and_no_changer_is() -> None:
    found = ways.of_nodes([node(1, "A"), node(2, "B"), node(4, "C", kind=Kind.CHANGER)], SETTINGS, UNWATCHED)
    assert [(way.where, way.serial, way.barred) for way in found] == [("/dev/sg1", "A", ""), ("/dev/sg2", "B", "")]


def test_two_that_claim_one_name_are_both_shown_and_neither_is_used() -> None:
    found = ways.of_nodes([node(1, "A"), node(2, "A")], SETTINGS, UNWATCHED)
    assert [way.where for way in found] == ["/dev/sg1", "/dev/sg2"]
    assert all("claim one identity" in way.barred for way in found)

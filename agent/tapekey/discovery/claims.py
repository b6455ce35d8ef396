"""Which nodes are one drive, and which only claim to be: decided from what the nodes and the devices say.

Two nodes with one serial number and one NAA are one drive with two paths when something besides that says so: both end
at the same port (its address is unique on its fabric), or at ports that the device itself numbers differently. Without
that they are two devices with one name, and neither may be used: a key for one could end up in the other.
"""

from dataclasses import dataclass
from itertools import combinations

from tapekey.discovery.attachment import ADDRESSED
from tapekey.discovery.sysfs import Node


@dataclass(frozen=True, slots=True)
class Claim:
    """A node and what the device behind it says of itself. An empty serial: it was not to be learnt."""

    node: Node
    serial: str = ""
    naa: bytes = b""
    relative_port: int | None = None  # of VPD page 83h: the number of the port that was asked


@dataclass(frozen=True, slots=True)
class Group:
    """One drive by its paths, or devices of which none may be used (`refused` says why)."""

    claims: tuple[Claim, ...]
    refused: str = ""


def group(claims: tuple[Claim, ...]) -> tuple[Group, ...]:
    """Put each claim with those that share its serial number or NAA, in the order of the first of each."""
    groups: list[list[Claim]] = []
    for claim in claims:
        touching = [members for members in groups if any(_overlap(claim, member) for member in members)]
        merged = [member for members in touching for member in members] + [claim]
        at = groups.index(touching[0]) if touching else len(groups)
        groups = [members for members in groups if members not in touching]
        groups.insert(at, merged)
    return tuple(Group(tuple(members), _objection(members)) for members in groups)


def _overlap(one: Claim, other: Claim) -> bool:
    return (one.serial != "" and one.serial == other.serial) or (one.naa != b"" and one.naa == other.naa)


def _objection(members: list[Claim]) -> str:
    return next((why for one, other in combinations(members, 2) if (why := _clash(one, other))), "")


def _clash(one: Claim, other: Claim) -> str:
    """Why these two are not one drive; empty: they are."""
    names = f"{one.node.path} and {other.node.path}"
    if one.serial == other.serial and one.naa != other.naa:
        return f"{names} both claim serial number {one.serial}, with different NAAs"
    if one.naa == other.naa and one.serial != other.serial:
        return f"{names} both claim NAA {one.naa.hex()}, with different serial numbers"
    if one.serial != other.serial:
        return f"{names} each share a name with a third device"
    if not _two_paths(one, other):
        return f"{names} claim one identity, and nothing says that they are two ports of one drive"
    return ""


def _two_paths(one: Claim, other: Claim) -> bool:
    first, second = one.node, other.node
    if first.link is not second.link or first.link not in ADDRESSED or not one.naa:
        return False
    if (first.vendor, first.product, first.revision) != (second.vendor, second.product, second.revision):
        return False
    if first.port and first.port == second.port:
        return first.target != second.target
    ports = {one.relative_port, other.relative_port}
    return None not in ports and len(ports) == 2

"""The tape drives of this host: the nodes that sysfs shows, joined with who the drives behind them say they are.

INQUIRY alone is sent, which takes no unit attention from anybody. Where a node cannot be asked, the kernel's copies of
the VPD pages tell who it was when it was found; that is good for a list and for finding a rival, not for more.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from tapekey.discovery.attachment import TRUSTED
from tapekey.discovery.claims import Claim, Group, group
from tapekey.discovery.sysfs import SYS, Kind, Node, scan
from tapekey.drive import identity
from tapekey.drive.identity import DriveId
from tapekey.errors import DriveUnknown, TapekeyError
from tapekey.exchange import Transport
from tapekey.scsi import inquiry, vital
from tapekey.scsi.inquiry import VitalPage
from tapekey.scsi.run import run
from tapekey.scsi.vital import Association, DesignatorType

Opener = Callable[[str], AbstractContextManager[Transport]]


@dataclass(frozen=True, slots=True)
class Sighting:
    """One node, who the drive behind it is (None: it could not be asked, `failed` says why), and the claim it makes."""

    claim: Claim
    who: DriveId | None = None
    failed: str = ""

    @property
    def node(self) -> Node:
        return self.claim.node


@dataclass(frozen=True, slots=True)
class HostDrive:
    """One drive by all its paths; `refused` says why it is not to be used at all."""

    sightings: tuple[Sighting, ...]
    refused: str = ""

    @property
    def objection(self) -> str:
        """Why it is not accepted unasked; empty: nothing speaks against it."""
        if self.refused:
            return self.refused
        failed = next((each.failed for each in self.sightings if each.who is None), "")
        strange = next((each.node.link for each in self.sightings if each.node.link not in TRUSTED), None)
        return failed or (f"attached by {strange.value}: approve it with --allow {strange.value}" if strange else "")


def open_node(path: str) -> AbstractContextManager[Transport]:
    """SG_IO on a node."""
    from tapekey.transport import sgio

    return sgio.open_device(path)


def drives(sys: Path = SYS, opener: Opener = open_node) -> tuple[HostDrive, ...]:
    """Ask every drive of this host who it is, and put the paths of each together."""
    sightings = {node.sg: sight(node, opener) for node in scan(sys) if node.kind is Kind.DRIVE}
    groups = group(tuple(each.claim for each in sightings.values()))
    return tuple(HostDrive(tuple(sightings[claim.node.sg] for claim in one.claims), one.refused) for one in groups)


def sight(node: Node, opener: Opener = open_node) -> Sighting:
    """Ask the drive behind one node."""
    try:
        with opener(node.path) as transport:
            who = identity.identify(transport)
            return Sighting(Claim(node, who.serial, who.naa, _relative_port(transport)), who)
    except TapekeyError as error:
        return Sighting(remembered(node), failed=str(error))


def remembered(node: Node) -> Claim:
    """What the kernel keeps of the device's own words; nothing is sent."""
    claim = Claim(node)
    with suppress(TapekeyError):  # no such page is kept, or the device's page was bad: it claims nothing
        claim = replace(claim, serial=vital.decode_serial(node.serial_page))
    try:
        designators = vital.decode_designators(node.designators_page)
    except TapekeyError:
        return claim
    return replace(claim, naa=vital.naa(designators) or b"", relative_port=_port_of(designators))


def demand_unique(node: Node, who: DriveId | None = None, sys: Path = SYS) -> Group:
    """See that no other node of this host claims this drive's names without being another path to it.

    DriveUnknown: two devices go by one name. The others are not asked, nor is this one if `who` is not given: the
    kernel's copies are looked at.
    """
    claims = [remembered(each) for each in scan(sys) if each.kind is Kind.DRIVE]
    mine = next((claim for claim in claims if claim.node.sg == node.sg), Claim(node))
    told = replace(mine, serial=who.serial, naa=who.naa) if who else mine
    everybody = group(tuple(told if claim.node.sg == node.sg else claim for claim in claims) or (told,))
    found = next(each for each in everybody if told in each.claims)
    if found.refused:
        raise DriveUnknown(
            f"the drive at {node.path} is not unique",
            why=found.refused,
            mend="take one of them away, or give it a serial number and a name of its own",
        )
    return found


def _relative_port(transport: Transport) -> int | None:
    try:
        return _port_of(vital.decode_designators(run(transport, inquiry.inquire_vital(VitalPage.IDENTIFICATION))))
    except TapekeyError:
        return None  # no such page, or not to be read: it speaks for no second port


def _port_of(designators: tuple[vital.Designator, ...]) -> int | None:
    """The relative target port identifier of the port that was asked."""
    for each in designators:
        if (each.association, each.kind) == (Association.PORT, DesignatorType.RELATIVE_PORT):
            return int.from_bytes(each.value[-2:], "big")
    return None

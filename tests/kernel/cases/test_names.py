"""A drive is who it says it is: not its number, and not one of two that say the same."""

import pytest

from tapekey import host
from tapekey.discovery import sysfs
from tapekey.errors import DriveUnknown
from tests.kernel.cases import simulated

SHARED = {"vpd_use_hostno": 0}  # the host's number does not enter the names: all drives claim the same ones
LONG_NAMES = {"uuid_ctl": 1}  # a UUID of its own for each instead of the NAA


def test_drives_of_one_host_have_names_of_their_own() -> None:
    simulated.load(3)
    drives = host.drives()
    assert len({drive.sightings[0].claim.serial for drive in drives}) == 3
    assert len({drive.sightings[0].claim.naa for drive in drives}) == 3
    assert not any(drive.refused for drive in drives)


def test_two_drives_with_one_serial_and_one_naa_are_refused() -> None:
    simulated.load(2, **SHARED)
    (drive,) = host.drives()
    assert len(drive.sightings) == 2
    assert len({sighting.claim.naa for sighting in drive.sightings} - {b""}) == 1
    assert "nothing says that they are two ports of one drive" in drive.refused


def test_two_drives_with_one_serial_and_no_naa_are_refused() -> None:
    simulated.load(2, **SHARED, **LONG_NAMES)
    (drive,) = host.drives()
    assert {sighting.claim.naa for sighting in drive.sightings} == {b""}
    assert drive.refused


def test_neither_of_two_with_one_name_can_be_used() -> None:
    for node in simulated.load(2, **SHARED):
        sighting = host.sight(node)
        assert sighting.who
        with pytest.raises(DriveUnknown, match="not unique"):
            host.demand_unique(node, sighting.who)


def test_identities_stay_when_numbers_are_shuffled() -> None:
    before = {node.hctl: node.sg for node in simulated.load(3)}
    names = serials()
    shuffle([*before])
    after = {node.hctl: node.sg for node in sysfs.scan()}
    assert {sg: names[sg] for sg in before.values()} != serials()
    assert {hctl: names[sg] for hctl, sg in before.items()} == {hctl: serials()[sg] for hctl, sg in after.items()}


def serials() -> dict[str, str]:
    return {each.node.sg: each.claim.serial for drive in host.drives() for each in drive.sightings}


def shuffle(places: list[str]) -> None:
    """Take the devices away and have their hosts find them again, last one first."""
    for place in places:
        (sysfs.SYS / "bus/scsi/devices" / place / "delete").write_text("1")
    simulated.settled(0)
    for found, place in enumerate(reversed(places), start=1):
        (sysfs.SYS / "class/scsi_host" / f"host{place.split(':')[0]}" / "scan").write_text("- - -")
        simulated.settled(found)

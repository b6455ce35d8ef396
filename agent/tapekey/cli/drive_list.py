"""What `tapekey drive list` tells: the drives of this host with their state, or those on record."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tapekey import wiring
from tapekey.discovery.attachment import TRUSTED, Link
from tapekey.wiring import Access

if TYPE_CHECKING:
    from tapekey.discovery.sysfs import Node
    from tapekey.host import HostDrive, Sighting
    from tapekey.manager.questions import DriveRecord

# Kinds of attachment that are accepted only when named: all that discovery does not trust, by its words.
UNTRUSTED = tuple(link.value for link in Link if link not in TRUSTED)
Records = Mapping[str, "DriveRecord"]


HOST_HEAD = ("where", "tape", "vendor", "product", "serial", "naa", "link", "state", "why")
RECORD_HEAD = ("serial", "vendor", "product", "where", "virtual")


def of_host(access: Access) -> list[dict[str, Any]]:
    """A row for each path to each drive. What is on record is looked at only if something is given that opens it."""
    from tapekey import host

    records = _records(access) if wiring.opens(access) else None
    return [_row(drive, sighting, records) for drive in host.drives() for sighting in drive.sightings]


def on_record(access: Access) -> list[dict[str, Any]]:
    """A row for each approved drive."""
    with wiring.manager(access) as manager:
        return [_on_record(record, closed=manager.guard_page(record.serial) is not None) for record in manager.drives()]


def _on_record(record: "DriveRecord", *, closed: bool) -> dict[str, Any]:
    return {
        "serial": record.serial,
        "naa": record.naa.hex(),
        "vendor": record.vendor,
        "product": record.product,
        "where": record.where,
        "virtual": record.virtual,
        "hands_off": record.hands_off,
        "pinned_key": bool(record.key),
        "closed": closed,
    }


def of_node(node: "Node") -> dict[str, Any]:
    """Where a node is, for lists and for `drive show`."""
    return {
        "where": node.path,
        "tape": (node.nst or node.ibm) and f"/dev/{node.nst or node.ibm}",
        "changer": node.changer and f"/dev/{node.changer}",
        "driver": node.driver or None,
        "link": node.link.value,
        "place": node.lasting,
    }


def _records(access: Access) -> dict[str, "DriveRecord"]:
    with wiring.manager(access) as manager:
        return {record.serial: record for record in manager.drives()}


def _row(drive: "HostDrive", sighting: "Sighting", records: Records | None) -> dict[str, Any]:
    claim, node = sighting.claim, sighting.node
    state, why = _state(drive, sighting, records)
    return {
        **of_node(node),
        "vendor": node.vendor,
        "product": node.product,
        "serial": claim.serial or None,
        "naa": claim.naa.hex() or None,
        "paths": [each.node.path for each in drive.sightings],
        "state": state,
        "why": why or None,
    }


def _state(drive: "HostDrive", sighting: "Sighting", records: Records | None) -> tuple[str | None, str]:
    """In a word, and why. Whether it is approved is only said when the keystore was asked."""
    claim = sighting.claim
    record = (records or {}).get(claim.serial)
    if drive.refused:
        return "refused", drive.refused
    if sighting.who is None:
        return "not asked", sighting.failed
    if record and record.naa != claim.naa:
        return "refused", f"a drive with this serial number and NAA {record.naa.hex() or 'none'} was approved"
    if record:
        return ("hands-off" if record.hands_off else "approved"), ""
    return ("pending" if records is not None else None), drive.objection

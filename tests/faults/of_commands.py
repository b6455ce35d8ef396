"""Faults of what the virtual drive does beside storing: partitions, reservations, protection, alerts."""

from collections.abc import Callable
from typing import Final

from tapekey.scsi.mode_page import MediumPartition
from tapekey.target import alerts, append_only, drive_opcodes, early_warning, partitioning, volume_protection
from tapekey.target.nexus import Nexuses
from tapekey.target.reservations import NOTHING, Reservations
from tests.faults.fault import Fault, other, replaced, skipped


def _all_ones(shipped: Callable[..., bytes], *asked: object) -> bytes:
    image = shipped(*asked)
    return image[:1].ljust(len(image), b"\xff")


def _unrounded(_: Callable[..., object], __: MediumPartition, capacity: int, count: int) -> tuple[int, ...]:
    return (capacity - count + 1, *[1] * (count - 1))


FAULTS: Final = {
    "usage map of ones": Fault(
        replaced(drive_opcodes, "usage", _all_ones),
        "tests/target/test_drive_opcodes.py::test_usage_map_marks_what_is_read[REWIND]",
        "reserved bits are said to be evaluated",
    ),
    "partition sizes ignored": Fault(
        replaced(partitioning, "_chosen", _unrounded),
        "tests/target/test_partitioning.py::test_page_makes_these_partitions[gigabytes]",
        "IDP makes partitions of another size",
    ),
    "reservations stop nobody": Fault(
        skipped(Reservations, "stop", False),
        "tests/target/test_reservations.py::test_stranger_is_stopped[WRITE]",
        "a stranger writes under a reservation",
    ),
    "reservations forgotten": Fault(
        skipped(Reservations, "kept", NOTHING),
        "tests/target/test_reservations.py::test_reservation_outlasts_the_power_if_it_was_asked_to[APTPL]",
        "APTPL is taken, and not kept",
    ),
    "nexus records kept": Fault(
        skipped(Nexuses, "lose"),
        "tests/target/test_nexus.py::test_thousands_of_initiators_leave_a_bounded_memory",
        "memory grows with every initiator",
    ),
    "append-only ignored": Fault(
        skipped(append_only, "check_write"),
        "tests/target/test_drive_overwrite.py::test_what_is_recorded_is_not_overwritten[write]",
        "append-only mode overwrites",
    ),
    "lasting protection dropped": Fault(
        skipped(volume_protection, "keep"),
        "tests/target/test_write_protection.py::test_lasting_protection_goes_with_the_cartridge",
        "PERSWP ends with the mount",
    ),
    "programmable warning silent": Fault(
        skipped(early_warning, "_programmed"),
        "tests/target/test_early_warning.py::test_filemark_tells_too",
        "PEWS can be set and does nothing",
    ),
    "no alert raised": Fault(
        other(alerts, "RAISED", {}),
        "tests/target/test_alerts.py::test_write_on_a_protected_volume",
        "TapeAlert stays silent",
    ),
}

"""Faults of the portal: what one peer could do to the others, or to a key."""

from typing import Any, Final

from tapekey.target import connection, portal_access
from tapekey.target.connection import Connection
from tapekey.target.rack import Rack
from tests.faults.fault import Fault, other, replaced, skipped

CONNECTION = "tests/target/test_connection.py::"
PORTAL = "tests/target/test_portal.py::"


def _still_carried_out(shipped: Any, self: Connection, lun: int, asked: Any) -> None:
    self.aborted.clear()
    shipped(self, lun, asked)


FAULTS: Final = {
    "portal open to others": Fault(
        skipped(portal_access, "refuse_open"),
        "tests/target/test_portal_access.py::test_other_hosts_are_served_with_chap_or_by_an_open_word_only[192.0.2.1]",
        "a drive is served to a network without CHAP, and nobody has said so",
    ),
    "session's loss not told": Fault(
        skipped(Rack, "nexus_lost"),
        CONNECTION + "test_unit_knows_an_initiator_by_its_port",
        "the reservations of a session that is gone stay",
    ),
    "key left in the buffer": Fault(
        replaced(connection, "_data_out", lambda _, asked: asked.data_out),
        CONNECTION + "test_key_travels_as_a_secret",
        "a key that came by iSCSI stays in memory that other commands use",
    ),
    "aborted command carried out": Fault(
        replaced(Connection, "_execute", _still_carried_out),
        CONNECTION + "test_command_that_is_aborted_before_its_turn_is_never_carried_out",
        "what a host has given up is done all the same",
    ),
    "older session kept": Fault(
        skipped(Connection, "drop"),
        PORTAL + "test_same_initiator_port_takes_the_place_of_its_older_session",
        "two sessions are one nexus",
    ),
    "overflow not counted": Fault(
        other(connection, "ROOM", 0),
        "tests/real/test_iscsi_opcodes.py::test_residual_is_what_was_requested_less_what_came[0]",
        "an initiator does not hear that there was more",
    ),
}

"""What can be told without a device; tests/real and tests/kernel run python-scsi itself on it."""

import pytest

from tapekey.transport import python_scsi

READ_AND_WRITE = bytes([0x12, 0, 0, 0, 4, 0])


def test_a_command_that_moves_data_both_ways_is_the_callers_mistake() -> None:
    with open("/dev/null", "rb") as null, pytest.raises(ValueError, match="one way"):
        python_scsi.execute(null, READ_AND_WRITE, b"out", bytearray(4))


def test_a_node_that_takes_no_scsi_commands_is_an_os_error() -> None:
    with open("/dev/null", "rb") as null, pytest.raises(OSError, match="SG_IO failed"):
        python_scsi.execute(null, READ_AND_WRITE, b"", bytearray(4))

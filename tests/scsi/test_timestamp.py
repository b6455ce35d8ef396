"""REPORT and SET TIMESTAMP of reference 11.5; bytes worked out by hand from its table."""

from tapekey.scsi import timestamp
from tapekey.wire.layout import decode, encode


def test_report_timestamp_asks_for_twelve_bytes() -> None:
    command = timestamp.report_timestamp()

    assert command.cdb == bytes.fromhex("A3 0F 00 00 00 00 00 00 00 0C 00 00")
    assert command.data_in_max == 12


def test_set_timestamp_sends_milliseconds() -> None:
    command = timestamp.set_timestamp(0x0199_0000_0001)

    assert command.cdb == bytes.fromhex("A4 0F 00 00 00 00 00 00 00 0C 00 00")
    assert command.data_out == bytes.fromhex("00 00 00 00 01 99 00 00 00 01 00 00")


def test_device_reads_what_the_host_sent() -> None:
    assert decode(timestamp.SetTimestamp, bytes.fromhex("A4 0F 00 00 00 00 00 00 00 0C 00 00")).length == 12


def test_timestamp_that_was_set() -> None:
    image = bytes.fromhex("00 0A 02 00 00 00 00 00 03 E8 00 00")
    clock = timestamp.Timestamp(origin=timestamp.Origin.SET, milliseconds=1000)

    assert decode(timestamp.Timestamp, image) == clock
    assert encode(clock) == image

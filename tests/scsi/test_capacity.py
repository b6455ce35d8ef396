"""SET CAPACITY (reference 11.5): bytes worked out by hand from its table."""

from tapekey.scsi.capacity import SetCapacity, set_capacity
from tapekey.wire.layout import decode
from tests.octets import octets


def test_cdb_matches_the_references_bytes() -> None:
    assert set_capacity().cdb == octets("0b 00 00 ff ff 00")
    assert set_capacity(0x8000).cdb == octets("0b 00 00 80 00 00")
    assert decode(SetCapacity, octets("0b 01 00 00 10 00")) == SetCapacity(immediate=True, proportion=16)

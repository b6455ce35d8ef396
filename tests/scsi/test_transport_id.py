"""TransportID of iSCSI (SPC-4 7.6.4.6): bytes worked out by hand from its table."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapekey.errors import Malformed
from tapekey.scsi.transport_id import decode_transport_id, encode_transport_id
from tests.octets import octets

PORT = "iqn.2020-01.org.example:host,i,0x80123456789a"
IDS = {
    "a port, with its ISID": (octets("45 00 00 30") + PORT.encode() + bytes(3), PORT),
    "a name only, padded to the least of 20 bytes": (octets("05 00 00 14") + b"host" + bytes(16), "host"),
    "a name that fills its last word": (octets("05 00 00 18") + b"a" * 23 + b"\0", "a" * 23),
}


@pytest.mark.parametrize(("image", "name"), IDS.values(), ids=IDS)
def test_id_matches_the_standards_bytes(image: bytes, name: str) -> None:
    assert encode_transport_id(name) == image
    assert decode_transport_id(image) == name


REFUSED = {
    "nothing": b"",
    "Fibre Channel": octets("00 00 00 14") + b"host" + bytes(16),
    "a format that is none": octets("85 00 00 14") + b"host" + bytes(16),
    "shorter than it says": octets("05 00 00 14") + b"host\0",
    "no end of the name": octets("05 00 00 04") + b"host",
    "no name": octets("05 00 00 14") + bytes(20),
    "a port without an ISID": octets("45 00 00 14") + b"host" + bytes(16),
    "no text": octets("05 00 00 14") + b"\xff\xfe" + bytes(18),
}


@pytest.mark.parametrize("image", REFUSED.values(), ids=REFUSED)
def test_anything_else_is_malformed(image: bytes) -> None:
    with pytest.raises(Malformed):
        decode_transport_id(image)


@given(st.binary(max_size=60))
def test_any_bytes_are_a_name_or_malformed(data: bytes) -> None:
    try:
        assert decode_transport_id(data)
    except Malformed:
        return

"""SEND and RECEIVE DIAGNOSTIC (reference 11.5): bytes worked out by hand from its table."""

from hypothesis import given
from hypothesis import strategies as st

from tapekey.errors import Malformed
from tapekey.scsi import diagnostic
from tapekey.scsi.diagnostic import ReceiveDiagnostic, SendDiagnostic
from tapekey.wire.layout import decode
from tests.octets import octets


def test_cdbs_match_the_references_bytes() -> None:
    assert diagnostic.self_test().cdb == octets("1d 04 00 00 00 00")
    assert diagnostic.receive_diagnostic(0x80, 16).cdb == octets("1c 01 80 00 10 00")
    dump = SendDiagnostic(page_format=True, length=8)
    assert decode(SendDiagnostic, octets("1d 10 00 00 08 00")) == dump
    assert decode(ReceiveDiagnostic, octets("1c 01 80 00 10 00")) == ReceiveDiagnostic(
        page_valid=True, page=0x80, room=16
    )


def test_list_of_pages_matches_the_standards_bytes() -> None:
    assert diagnostic.encode_supported([0x80, 0x00]) == octets("00 00 00 02 00 80")
    assert diagnostic.decode_supported(octets("00 00 00 02 00 80 ff")) == (0x00, 0x80)


@given(st.binary(max_size=20))
def test_any_bytes_are_a_list_or_malformed(data: bytes) -> None:
    try:
        assert all(0 <= page <= 255 for page in diagnostic.decode_supported(data))
    except Malformed:
        return

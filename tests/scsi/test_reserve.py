"""Reservations of reference 1.8, and SPC-4 for READ FULL STATUS; bytes worked out by hand from them."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapekey.errors import Malformed
from tapekey.scsi import reserve
from tapekey.scsi.reserve import (
    Capabilities,
    Holder,
    InAction,
    OutAction,
    OutParameters,
    PersistentIn,
    PersistentOut,
    Registrant,
    RegistrantHeader,
    Release10,
    ReservationType,
    Reserve10,
)
from tapekey.wire.layout import decode, encode
from tests.octets import octets

KEYS = octets("00 00 00 07  00 00 00 10  00 00 00 00 00 00 00 01  00 00 00 00 00 00 00 02")
HOLDER = octets("""
    00 00 00 07  00 00 00 10
    00 00 00 00 00 00 00 01  # key
    00 00 00 00 00
    03                       # exclusive access
    00 00
""")
REGISTRANTS = octets("""
    00 00 00 07  00 00 00 1C
    00 00 00 00 00 00 00 01  # key
    00 00 00 00
    03                       # ALL_TG_PT, R_HOLDER
    03                       # exclusive access
    00 00 00 00
    00 01                    # port
    00 00 00 04
    06 00 00 00
""")


def test_commands_match_the_references_bytes() -> None:
    assert reserve.reserve().cdb == bytes.fromhex("16 00 00 00 00 00")
    assert reserve.release().cdb == bytes.fromhex("17 00 00 00 00 00")
    assert encode(Reserve10()) == bytes.fromhex("56 00 00 00 00 00 00 00 00 00")
    assert encode(Release10()) == bytes.fromhex("57 00 00 00 00 00 00 00 00 00")
    assert reserve.persistent_in(InAction.READ_FULL_STATUS).cdb == bytes.fromhex("5E 03 00 00 00 00 00 20 00 00")
    assert decode(PersistentIn, bytes.fromhex("5E 01 00 00 00 00 00 00 18 00")).action is InAction.READ_RESERVATION


def test_reserving_as_ltfs_does() -> None:
    command = reserve.persistent_out(OutAction.PREEMPT_AND_ABORT, 1, 2)

    assert command.cdb == bytes.fromhex("5F 05 03 00 00 00 00 00 18 00")
    assert command.data_out == bytes.fromhex("00 00 00 00 00 00 00 01 00 00 00 00 00 00 00 02 00 00 00 00 00 00 00 00")
    assert decode(PersistentOut, command.cdb).type is ReservationType.EXCLUSIVE_ACCESS


def test_bits_of_the_parameter_list() -> None:
    image = bytes(20) + bytes.fromhex("0D 00 00 00")
    parameters = OutParameters(specify_initiators=True, all_target_ports=True, through_power_loss=True)

    assert encode(parameters) == image
    assert decode(OutParameters, image) == parameters


def test_keys() -> None:
    assert reserve.encode_keys(7, [1, 2]) == KEYS
    assert reserve.decode_keys(KEYS) == (1, 2)
    assert reserve.generation(KEYS) == 7


def test_holder() -> None:
    holder = Holder(key=1, type=ReservationType.EXCLUSIVE_ACCESS)

    assert reserve.encode_holder(7, holder) == HOLDER
    assert reserve.decode_holder(HOLDER) == holder
    assert HOLDER[21] == 0x03


def test_nobody_holds_it() -> None:
    assert reserve.encode_holder(7, None) == bytes.fromhex("00 00 00 07 00 00 00 00")
    assert reserve.decode_holder(bytes.fromhex("00 00 00 07 00 00 00 00")) is None


def test_registrants() -> None:
    header = RegistrantHeader(
        key=1, all_target_ports=True, holder=True, type=ReservationType.EXCLUSIVE_ACCESS, port=1, length=4
    )
    registrants = (Registrant(header, bytes([6, 0, 0, 0])),)

    assert reserve.encode_registrants(7, registrants) == REGISTRANTS
    assert reserve.decode_registrants(REGISTRANTS) == registrants


def test_capabilities() -> None:
    image = bytes.fromhex("00 08 0D 81 EA 01 00 00")
    capabilities = Capabilities(
        specify_initiators=True,
        all_target_ports=True,
        through_power_loss=True,
        types_valid=True,
        persistent_now=True,
        types=0xEA01,
    )

    assert encode(capabilities) == image
    assert decode(Capabilities, image) == capabilities


READERS: dict[str, tuple[Callable[[bytes], object], bytes]] = {
    "keys": (reserve.decode_keys, KEYS),
    "holder": (reserve.decode_holder, HOLDER),
    "registrants": (reserve.decode_registrants, REGISTRANTS),
}


@pytest.mark.parametrize(("read", "image"), READERS.values(), ids=READERS)
def test_data_that_is_cut_short_is_refused(read: Callable[[bytes], object], image: bytes) -> None:
    for size in (7, 8, len(image) - 1):
        with pytest.raises(Malformed):
            read(image[:size])


@given(st.binary(max_size=60), st.booleans())
def test_any_bytes_are_reservations_or_malformed(data: bytes, framed: bool) -> None:
    image = bytes(4) + len(data).to_bytes(4, "big") + data if framed else data
    for read in (reserve.decode_keys, reserve.decode_holder, reserve.decode_registrants, reserve.generation):
        try:
            read(image)
        except Malformed:
            continue


def test_register_and_move_matches_the_standards_bytes() -> None:
    """SPC-4, worked out by hand: key, new key, UNREG, relative port, length of the TransportID, and that."""
    command = reserve.register_and_move(0x11, 0x22, b"\x05\x00\x00\x04abc\0", unregister=True)

    assert command.cdb == octets("5f 07 00 00 00 00 00 00 20 00")
    assert command.data_out == octets("""
        00 00 00 00 00 00 00 11  00 00 00 00 00 00 00 22
        00 02 00 01  00 00 00 08  05 00 00 04 61 62 63 00
    """)


def test_third_parties_are_read_from_byte_1() -> None:
    assert decode(reserve.Reserve6, octets("16 11 00 00 00 00")) == reserve.Reserve6(third_party=True, extent=True)
    assert decode(reserve.Release10, octets("57 12 00 00 00 00 00 00 08 00")) == reserve.Release10(
        third_party=True, long_id=True, length=8
    )

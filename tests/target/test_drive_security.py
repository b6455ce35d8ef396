"""SECURITY PROTOCOL IN: pages as the reference's section 2 and 7.1 have them, by personality."""

from pathlib import Path

import pytest

from tapekey.exchange import Command
from tapekey.scsi import encryption, encryption_support, media, security
from tapekey.scsi.encryption import DecryptionMode, EncryptionMode, InPage, KeyFormat, Rdmc, read_page
from tapekey.scsi.encryption_status import BlockEncryption, ParametersControl
from tapekey.scsi.kad import Authentication, Kad, KadType
from tapekey.target.personality import PERSONALITIES, Management
from tests.bench import Bench, powered
from tests.octets import octets
from tests.target.initiator import (
    ORACLE_UKAD,
    UKAD,
    code,
    install,
    next_block,
    off,
    read,
    rewind,
    status,
    write,
)

ENC, OFF, DEC = EncryptionMode.ENCRYPT, EncryptionMode.DISABLE, DecryptionMode.DECRYPT
PLAIN = [0x00, 0x01, 0x10, 0x11, 0x12, 0x20, 0x21]
PAGES = {
    "ibm-lto4": [*PLAIN, 0x30],
    "ibm-lto6": [*PLAIN, 0x30],
    "ibm-lto7": [*PLAIN, 0x30, 0x31],
    "ibm-lto9": [*PLAIN, 0x30, 0x31],
    "hpe-lto5": PLAIN,
    "oracle-t10000c": PLAIN,
    "quantum-lto4": [*PLAIN, 0x30, 0x31],
}


def page(bench: Bench, which: InPage) -> bytes:
    reply = bench.execute(read_page(which))
    assert code(reply) == "good"
    return reply.data_in


@pytest.mark.parametrize(("name", "pages"), PAGES.items())
def test_support_list_and_reality_agree(tmp_path: Path, name: str, pages: list[int]) -> None:
    bench = powered(tmp_path, name)

    listed = encryption.decode_page(encryption_support.InSupport, page(bench, InPage.IN_SUPPORT)).pages

    assert list(listed) == pages
    for number in range(0x40):
        answer = code(bench.execute(read_page(InPage(number))))
        assert answer == ("good" if number in pages else "5/24/00")


def test_in_support_of_a_t10000_is_byte_for_byte_the_manuals(tmp_path: Path) -> None:
    bench = powered(tmp_path, "oracle-t10000c")

    assert page(bench, InPage.IN_SUPPORT) == octets("0000 000e 0000 0001 0010 0011 0012 0020 0021")
    assert page(bench, InPage.OUT_SUPPORT) == octets("0001 0002 0010")


def test_capabilities_of_an_ibm_drive_are_byte_for_byte_the_references(tmp_path: Path) -> None:
    bench = powered(tmp_path, "ibm-lto9")

    assert page(bench, InPage.CAPABILITIES) == octets("""
        0010 0028 09 000000000000000000000000000000  # external control capable, configuration allowed
        03 00 0014 ba bc 0020 003c 0020 eb 00 0000 0000 0000 00010014
    """)


def test_capabilities_without_a_volume(tmp_path: Path) -> None:
    bench = powered(tmp_path, "ibm-lto9", empty=True)

    assert page(bench, InPage.CAPABILITIES)[24:26] == bytes.fromhex("3a3c")


ROOM = {
    "ibm-lto4": [(1, 32, 12)],
    "ibm-lto5": [(1, 32, 12), (2, 32, 60)],
    "ibm-lto6": [(1, 32, 12), (2, 32, 60), (3, 32, 60)],
    "ibm-lto7": [(2, 32, 60), (3, 32, 60)],
    "ibm-lto8": [(3, 32, 60)],
    "ibm-lto9": [(3, 32, 60)],
    "hpe-lto5": [(1, 32, 60)],
    "hpe-lto6": [(1, 32, 60)],
    "quantum-lto4": [(1, 32, 12)],
    "oracle-t10000c": [(1, 30, 0)],
}


@pytest.mark.parametrize("name", PERSONALITIES)
def test_algorithms_and_their_room(tmp_path: Path, name: str) -> None:
    bench = powered(tmp_path, name)

    found = encryption.decode_page(encryption.Capabilities, page(bench, InPage.CAPABILITIES)).algorithms

    assert [(row.index, row.max_ukad, row.max_akad) for row in found] == ROOM[name]
    assert found[-1].avfmv
    assert not any(row.avfmv for row in found[:-1])
    assert {row.code for row in found} == {0x8001_0010 if name.startswith("oracle") else 0x0001_0014}


@pytest.mark.parametrize(("name", "formats"), [("ibm-lto6", [0]), ("ibm-lto7", [0, 2]), ("hpe-lto6", [0, 2])])
def test_key_formats(tmp_path: Path, name: str, formats: list[int]) -> None:
    found = encryption.decode_page(
        encryption_support.KeyFormats, page(powered(tmp_path, name), InPage.KEY_FORMATS)
    ).formats

    assert list(found) == [KeyFormat(number) for number in formats]


def test_management_capabilities_have_every_bit(tmp_path: Path) -> None:
    assert page(powered(tmp_path), InPage.MANAGEMENT_CAPABILITIES) == octets("0012 000c 01 07 00 07 0000000000000000")


CONTROLS = {
    ("ibm-lto4", Management.APPLICATION): ParametersControl.NOT_REPORTED,
    ("ibm-lto6", Management.APPLICATION): ParametersControl.NOT_EXCLUSIVE,
    ("hpe-lto6", Management.LIBRARY): ParametersControl.AUTOMATION,
}


@pytest.mark.parametrize(("drive", "control"), CONTROLS.items(), ids=str)
def test_parameters_control_says_who_holds_them(
    tmp_path: Path, drive: tuple[str, Management], control: ParametersControl
) -> None:
    assert status(powered(tmp_path, drive[0], management=drive[1])).parameters_control is control


def test_library_managed_drive_reports_that_configuration_is_prevented(tmp_path: Path) -> None:
    bench = powered(tmp_path, "hpe-lto6", management=Management.LIBRARY)

    found = encryption.decode_page(encryption.Capabilities, page(bench, InPage.CAPABILITIES))

    assert found.cfg_p is encryption.Configuration.PREVENTED
    assert {row.encrypt_c for row in found.algorithms} == {encryption.Cryption.EXTERNAL_CONTROL}


def test_disabled_drive_reports_no_encryption(tmp_path: Path) -> None:
    bench = powered(tmp_path, "hpe-lto6", management=Management.DISABLED)

    found = encryption.decode_page(encryption.Capabilities, page(bench, InPage.CAPABILITIES))

    assert {row.encrypt_c for row in found.algorithms} == {encryption.Cryption.NONE}


def test_status_never_carries_the_key_and_is_the_references_shape(tmp_path: Path) -> None:
    bench = powered(tmp_path, "hpe-lto6")
    install(bench, ENC, DEC, kads=(Kad(KadType.UNAUTHENTICATED, b"Hello world!"),))
    assert write(bench, b"x") == "good"

    assert page(bench, InPage.STATUS) == octets("""
        0020 0024 42 02 02 01 00000001 18 00 0000 0000000000000000
        00 00 000c 48656c6c6f20776f726c6421  # as in the reference's worked sample, with AUTHENTICATED reserved
    """)


@pytest.mark.parametrize(("rdmc", "told"), [(Rdmc.DEFAULT, False), (Rdmc.DISABLE_RAW, True), (Rdmc.ENABLE_RAW, False)])
def test_raw_mark_is_told_for_parameters_and_block(tmp_path: Path, rdmc: Rdmc, told: bool) -> None:
    bench = powered(tmp_path)
    install(bench, ENC, DEC, rdmc=rdmc)
    assert write(bench, b"x") == "good"
    rewind(bench)

    assert status(bench).rdmd is told
    assert next_block(bench).rdmds is told


def test_random_number_is_new_every_time(tmp_path: Path) -> None:
    bench = powered(tmp_path)

    assert len({page(bench, InPage.RANDOM_NUMBER) for _ in range(20)}) == 20


def test_protocol_list(tmp_path: Path) -> None:
    bench = powered(tmp_path)

    assert bench.execute(security.security_protocol_in(0, 0)).data_in == bytes.fromhex("0000000000000002 0020")
    assert bench.execute(security.security_protocol_in(0, 1)).data_in == bytes(4)
    assert code(bench.execute(security.security_protocol_in(0, 2))) == "5/24/00"


@pytest.mark.parametrize("protocol", [0x01, 0x21, 0x40, 0xEF])
def test_other_protocols_are_refused(tmp_path: Path, protocol: int) -> None:
    assert code(powered(tmp_path).execute(security.security_protocol_in(protocol, 0))) == "5/24/00"


def test_units_of_512_are_refused(tmp_path: Path) -> None:
    cdb = bytes.fromhex("a22000208000000000100000")

    assert code(powered(tmp_path).execute(Command(cdb, data_in_max=8192))) == "5/24/00"


# --- the next block -----------------------------------------------------------------------------------------------


def recorded(bench: Bench) -> None:
    """An encrypted block, a filemark, a clear block."""
    oracle = bench.drive.personality.name.startswith("oracle")
    install(bench, ENC, DEC, kads=ORACLE_UKAD if oracle else UKAD)
    assert write(bench, b"secret") == "good"
    assert code(bench.execute(media.write_filemarks(1))) == "good"
    off(bench)
    assert write(bench, b"clear") == "good"


S = BlockEncryption
NEXT = {
    # object, key installed: status on IBM, on HPE
    "encrypted, no key": (0, None, S.NO_KEY, S.NO_KEY),
    "encrypted, key": (0, "right", S.ENCRYPTED, S.ENCRYPTED),
    "encrypted, wrong key": (0, "wrong", S.NO_KEY, S.NO_KEY),
    "filemark": (1, None, S.NOT_KNOWN_NOW, S.NOT_A_BLOCK),
    "clear": (2, None, S.CLEAR, S.CLEAR),
    "end of data": (3, None, S.NOT_KNOWN_NOW, S.NOT_KNOWN_NOW),
}


@pytest.mark.parametrize("name", ["ibm-lto6", "hpe-lto6"])
@pytest.mark.parametrize(("at", "key", "ibm", "hpe"), NEXT.values(), ids=NEXT)
def test_next_block(
    tmp_path: Path, name: str, at: int, key: str | None, ibm: BlockEncryption, hpe: BlockEncryption
) -> None:
    bench = powered(tmp_path, name)
    recorded(bench)
    if key:
        install(bench, OFF, DEC, **({} if key == "right" else {"key": bytes(32)}))
    assert code(bench.execute(media.locate(at))) == "good"

    found = next_block(bench)

    assert (found.encryption, found.object_number) == (ibm if name.startswith("ibm") else hpe, at)


AUTHENTICATION = {"ibm-lto6": (1, 2), "hpe-lto6": (1, 2), "quantum-lto4": (2, 3)}


@pytest.mark.parametrize(("name", "codes"), AUTHENTICATION.items())
def test_authentication_of_kads_is_as_the_vendor_prints_it(tmp_path: Path, name: str, codes: tuple[int, int]) -> None:
    bench = powered(tmp_path, name)
    install(bench, ENC, DEC, kads=(*UKAD, Kad(KadType.AUTHENTICATED, b"mine")))
    assert write(bench, b"x") == "good"
    rewind(bench)

    kads = next_block(bench).kads

    assert [(kad.type, kad.authentication) for kad in kads] == [
        (KadType.UNAUTHENTICATED, Authentication(codes[0])),
        (KadType.AUTHENTICATED, Authentication(codes[1])),
    ]


def test_drive_that_has_not_read_ahead_does_not_know_yet(tmp_path: Path) -> None:
    bench = powered(tmp_path, read_ahead_knows=False)
    recorded(bench)
    rewind(bench)
    assert next_block(bench).encryption is BlockEncryption.NOT_KNOWN_NOW

    assert code(read(bench)) == "7/74/01"

    assert next_block(bench).encryption is BlockEncryption.NO_KEY


@pytest.mark.parametrize(("name", "answer"), [("ibm-lto6", "good"), ("oracle-t10000c", "2/3A/00")])
def test_next_block_of_an_empty_drive(tmp_path: Path, name: str, answer: str) -> None:
    reply = powered(tmp_path, name, empty=True).execute(read_page(InPage.NEXT_BLOCK_STATUS))

    assert code(reply) == answer
    if answer == "good":
        assert reply.data_in == octets("0021 000c") + bytes(12)

"""Set Data Encryption: the matrix of keys and key-associated data (reference 3.2) and every refusal (3.3)."""

from itertools import product
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from tapekey.exchange import Command
from tapekey.scsi import media
from tapekey.scsi.encryption import (
    DecryptionMode,
    EncryptionMode,
    InPage,
    KadFormat,
    KeyFormat,
    ManagementCapabilities,
    Rdmc,
    Scope,
    decode_page,
    read_page,
)
from tapekey.scsi.kad import Authentication, Kad, KadType
from tapekey.scsi.sense import FieldPointer
from tapekey.scsi.wrapped_key import (
    LabelPart,
    LabelType,
    PublicKeyType,
    WrappedKey,
    decode_public_key,
    encode_label,
    encode_wrapped_key,
    rsa_2048,
)
from tapekey.target.personality import Management
from tests.bench import Bench, powered
from tests.octets import octets
from tests.target.initiator import (
    KEY,
    code,
    install,
    next_block,
    off,
    parameters,
    read,
    rewind,
    sense_of,
    status,
    write,
)

OFF, EXT, ENC = EncryptionMode.DISABLE, EncryptionMode.EXTERNAL, EncryptionMode.ENCRYPT
D, R, DEC, MIX = DecryptionMode.DISABLE, DecryptionMode.RAW, DecryptionMode.DECRYPT, DecryptionMode.MIXED
U, A = Kad(KadType.UNAUTHENTICATED, bytes(30)), Kad(KadType.AUTHENTICATED, bytes(12))
N, M = Kad(KadType.NONCE, bytes(12)), Kad(KadType.METADATA, bytes(64))

# The reference's matrix, row by row: key, U-KAD, A-KAD, nonce, M-KAD as M(andatory), O(ptional), P(rohibited).
# Both modes without a key take no part in what stenc and Bareos prove: a needless key is ignored, not refused.
MATRIX = {
    (OFF, D): "PPPPP",
    (OFF, R): "PPPPP",
    (OFF, DEC): "MPPPP",
    (OFF, MIX): "MPPPP",
    (EXT, D): "PPPPM",
    (EXT, R): "PPPPM",
    (EXT, DEC): "MPPPM",
    (EXT, MIX): "MPPPM",
    (ENC, D): "MOOOP",
    (ENC, R): "MOOOP",
    (ENC, DEC): "MOOOP",
    (ENC, MIX): "MOOOP",
}
GIVEN = list(product((True, False), repeat=5))


@pytest.mark.parametrize("name", ["ibm-lto6", "ibm-lto9"])
@pytest.mark.parametrize("modes", MATRIX, ids=lambda modes: f"{modes[0].name}-{modes[1].name}")
def test_ibm_holds_every_list_against_the_matrix(
    tmp_path: Path, name: str, modes: tuple[EncryptionMode, DecryptionMode]
) -> None:
    bench = powered(tmp_path, name)
    row = MATRIX[modes]
    for given in GIVEN:
        kads = tuple(kad for kad, there in zip((U, A, N, M), given[1:], strict=True) if there)
        command = parameters(bench, *modes, key=KEY if given[0] else None, kads=kads)
        assert code(bench.execute(command)) == expected(modes, row, given), given


def expected(modes: tuple[EncryptionMode, DecryptionMode], row: str, given: tuple[bool, ...]) -> str:
    if modes == (OFF, D):
        return "good"
    missing = any(rule == "M" and not there for rule, there in zip(row, given, strict=True))
    needless = any(rule == "P" and there for rule, there in list(zip(row, given, strict=True))[1:])
    return "5/26/00" if missing or needless else "good"


@pytest.mark.parametrize("name", ["hpe-lto6", "quantum-lto4"])
@pytest.mark.parametrize("modes", MATRIX, ids=lambda modes: f"{modes[0].name}-{modes[1].name}")
def test_looser_drives_ignore_what_the_modes_do_not_use(
    tmp_path: Path, name: str, modes: tuple[EncryptionMode, DecryptionMode]
) -> None:
    bench = powered(tmp_path, name)
    row = MATRIX[modes]
    for given in GIVEN:
        kads = tuple(kad for kad, there in zip((U, A, N, M), given[1:], strict=True) if there)
        missing = any(rule == "M" and not there for rule, there in zip(row, given, strict=True))
        wanted = "5/26/00" if missing else "good"
        assert code(bench.execute(parameters(bench, *modes, key=KEY if given[0] else None, kads=kads))) == wanted


# encryption, decryption, U-KAD given: what a T10000 answers
ORACLE = {
    (OFF, D, False): "good",
    (OFF, R, False): "5/26/00",
    (OFF, DEC, False): "5/26/11",
    (OFF, DEC, True): "good",
    (OFF, MIX, False): "5/26/11",
    (OFF, MIX, True): "good",
    (EXT, D, False): "5/26/00",
    (ENC, D, False): "good",
    (ENC, D, True): "good",
    (ENC, R, True): "5/26/00",
    (ENC, DEC, False): "5/26/11",
    (ENC, DEC, True): "good",
    (ENC, MIX, True): "good",
}


@pytest.mark.parametrize(("asked", "answer"), ORACLE.items(), ids=str)
def test_oracle_needs_the_ukad_for_decryption(
    tmp_path: Path, asked: tuple[EncryptionMode, DecryptionMode, bool], answer: str
) -> None:
    bench = powered(tmp_path, "oracle-t10000c")

    assert code(bench.execute(parameters(bench, asked[0], asked[1], kads=(U,) if asked[2] else ()))) == answer


REFUSED: dict[str, tuple[dict[str, object], FieldPointer]] = {
    "unknown scope": ({"scope": Scope(3)}, FieldPointer(4, 7)),
    "CEEM without decryption": ({"ceem": 2, "decryption": D}, FieldPointer(5, 7)),
    "reserved RDMC": ({"rdmc": Rdmc(1)}, FieldPointer(5, 5)),
    "supplemental key": ({"sdk": True}, FieldPointer(5, 3)),
    "CKORP without reservation": ({"ckorp": True}, FieldPointer(5, 1)),
    "CKORL without reservation": ({"ckorl": True}, FieldPointer(5, 0)),
    "unknown encryption mode": ({"encryption": EncryptionMode(3)}, FieldPointer(6, 7)),
    "unknown decryption mode": ({"decryption": DecryptionMode(4)}, FieldPointer(7, 7)),
    "unknown algorithm index": ({"algorithm_index": 0x77}, FieldPointer(8, 7)),
    "algorithm index left 0": ({"algorithm_index": 0}, FieldPointer(8, 7)),
    "unknown key format": ({"key_format": KeyFormat.ESP_SCSI}, FieldPointer(9, 7)),
    "unknown KAD format": ({"kad_format": KadFormat(3)}, FieldPointer(10, 7)),
    "no key": ({"key": None}, FieldPointer(18, 7)),
    "short key": ({"key": KEY[:31]}, FieldPointer(18, 7)),
    "long key": ({"key": KEY + b"x"}, FieldPointer(18, 7)),
    "KADs out of order": ({"kads": ()}, FieldPointer(52, 7)),
    "KAD of an unknown type": ({"kads": (Kad(KadType(9), b"x"),)}, FieldPointer(52, 7)),
    "KAD twice": ({"kads": (U, U)}, FieldPointer(52, 7)),
    "nonce of another length": ({"kads": (Kad(KadType.NONCE, bytes(8)),)}, FieldPointer(52, 7)),
    "second KAD empty": ({"kads": (U, Kad(KadType.AUTHENTICATED, b""))}, FieldPointer(52 + 4 + 30, 7)),
}


@pytest.mark.parametrize(("fields", "field"), REFUSED.values(), ids=REFUSED)
def test_refusal_points_at_the_field(tmp_path: Path, fields: dict[str, object], field: FieldPointer) -> None:
    bench = powered(tmp_path)
    command = parameters(bench, **fields)  # type: ignore[arg-type]
    if field.byte == 52 and not fields["kads"]:
        command = with_list(command, bytes.fromhex("0100000161 0000000162"))

    sense = sense_of(bench.execute(command))

    assert (sense.code, sense.field) == ("5/26/00", field)
    assert status(bench).key_instance_counter == 0


def with_list(command: Command, kads: bytes) -> Command:
    """The same command with other KAD bytes behind its key."""
    out = bytearray(bytes(command.data_out.reveal()) + kads)  # type: ignore[union-attr]
    out[2:4] = (len(out) - 4).to_bytes(2, "big")
    cdb = command.cdb[:6] + len(out).to_bytes(4, "big") + command.cdb[10:]
    return Command(cdb, bytes(out))


def test_index_0_gives_the_sense_bytes_that_a_drive_was_seen_to_give(tmp_path: Path) -> None:
    bench = powered(tmp_path, "hpe-lto6")

    reply = bench.execute(parameters(bench, algorithm_index=0))

    assert reply.sense == octets("""
        70 00 05 00 00 00 00 0a 00 00 00 00 26 00 00
        8f 00 08  # stenc pull request 28: parameter data, bit 7 of byte 8
    """)


INDEXES = {
    "ibm-lto4": {1},
    "ibm-lto5": {1, 2},
    "ibm-lto6": {1, 2, 3},
    "ibm-lto7": {2, 3},
    "ibm-lto8": {3},
    "ibm-lto9": {3},
    "hpe-lto5": {1},
    "hpe-lto6": {1},
    "quantum-lto4": {1},
    "oracle-t10000c": {1},
}


@pytest.mark.parametrize(("name", "known"), INDEXES.items())
def test_only_listed_indexes_are_taken(tmp_path: Path, name: str, known: set[int]) -> None:
    bench = powered(tmp_path, name)

    taken = {n for n in range(256) if code(bench.execute(parameters(bench, kads=(U,), algorithm_index=n))) == "good"}

    assert taken == known


FRAMES = {
    "reference frame, encrypt and mixed": ("00100030 40000203 03" + "00" * 9 + "0020" + KEY.hex(), "good"),
    "off as stenc 1.0.7 sends it": ("00100030 40000000 00" + "00" * 9 + "0020" + "00" * 32, "good"),
    "off as Bareos sends it": ("00100030 40000000 01" + "00" * 9 + "0020" + "00" * 32, "good"),
    "off without a key": ("00100010 40000000 03" + "00" * 11, "good"),
    "off with another's KAD bits left behind": ("00100015 40000000 00" + "00" * 11 + "00ff000161", "good"),
    "another page": ("00110010 40000000 03" + "00" * 11, "5/26/00"),
    "page length beyond the list": ("00100030 40000000 03" + "00" * 11, "5/26/00"),
    "page length within the page": ("0010000f 40000000 03" + "00" * 11, "5/26/00"),
    "key length beyond the page": ("00100010 40000203 03" + "00" * 9 + "0020", "5/26/00"),
    "KAD cut short": ("00100035 40000203 03" + "00" * 9 + "0020" + KEY.hex() + "0000000261", "5/26/00"),
    "KAD header cut short": ("00100033 40000203 03" + "00" * 9 + "0020" + KEY.hex() + "000000", "5/26/00"),
    "list shorter than the page": ("0010000f 40000000 03" + "00" * 10, "5/1A/00"),
    "KAD byte 1 uninitialised": ("00100035 40000203 03" + "00" * 9 + "0020" + KEY.hex() + "00fb000161", "good"),
}


@pytest.mark.parametrize(("page", "answer"), FRAMES.values(), ids=FRAMES)
def test_frame_is_answered(tmp_path: Path, page: str, answer: str) -> None:
    bench = powered(tmp_path)
    data = bytes.fromhex(page)

    reply = bench.execute(Command(bytes.fromhex("b5200010 0000") + len(data).to_bytes(4, "big") + bytes(2), data))

    assert code(reply) == answer


CDBS = {
    "transfer length 0": ("b5200010 0000 00000000 0000", "good", None),
    "another protocol": ("b5210010 0000 00000014 0000", "5/24/00", 1),
    "page that cannot be set": ("b5200020 0000 00000014 0000", "5/24/00", 2),
    "units of 512 bytes": ("b5200010 8000 00000014 0000", "5/24/00", 4),
    "more than was sent": ("b5200010 0000 00000015 0000", "B/4B/00", None),
}


@pytest.mark.parametrize(("cdb", "answer", "field"), CDBS.values(), ids=CDBS)
def test_cdb_is_answered(tmp_path: Path, cdb: str, answer: str, field: int | None) -> None:
    reply = powered(tmp_path).execute(Command(bytes.fromhex(cdb), bytes.fromhex("00100010400000000300") + bytes(10)))

    assert code(reply) == answer
    if field is not None:
        assert sense_of(reply).field in (FieldPointer(field, None, True), FieldPointer(field, 7, True))


def test_strict_drive_refuses_uninitialised_kad_bits(tmp_path: Path) -> None:
    bench = powered(tmp_path, kad_flags_checked=True)
    kad = Kad(KadType.UNAUTHENTICATED, b"a", Authentication.NOT_COVERED)

    sense = sense_of(bench.execute(parameters(bench, kads=(kad,))))

    assert (sense.code, sense.field) == ("5/26/00", FieldPointer(53, 7))


MANAGED = {
    ("ibm-lto6", Management.LIBRARY): ("5/20/00", "5/74/21"),
    ("ibm-lto6", Management.DISABLED): ("5/20/00", "5/20/00"),
    ("ibm-lto6", Management.NONE): ("5/20/00", "5/20/00"),
    ("hpe-lto6", Management.LIBRARY): ("good", "5/74/21"),
    ("hpe-lto6", Management.DISABLED): ("good", "5/74/21"),
    ("hpe-lto6", Management.NONE): ("5/20/00", "5/20/00"),
    ("oracle-t10000c", Management.DISABLED): ("5/24/00", "5/24/00"),
}


@pytest.mark.parametrize(("drive", "answers"), MANAGED.items(), ids=str)
def test_drive_managed_elsewhere_takes_no_key(
    tmp_path: Path, drive: tuple[str, Management], answers: tuple[str, str]
) -> None:
    bench = powered(tmp_path, drive[0], management=drive[1])

    assert (code(bench.execute(read_page(InPage.STATUS))), code(bench.execute(parameters(bench)))) == answers


def test_ckod_needs_a_volume(tmp_path: Path) -> None:
    empty = powered(tmp_path, empty=True)
    sense = sense_of(empty.execute(parameters(empty, ckod=True)))

    assert (sense.code, sense.field) == ("5/26/00", FieldPointer(5, 2))


def test_drive_that_takes_no_key_when_empty_refuses_the_index_until_a_volume_is_mounted(tmp_path: Path) -> None:
    empty = powered(tmp_path, empty=True, takes_key_when_empty=False)
    loaded = powered(tmp_path, takes_key_when_empty=False)
    sense = sense_of(empty.execute(parameters(empty)))

    assert (sense.code, sense.field) == ("5/26/00", FieldPointer(8, 7))
    assert code(loaded.execute(parameters(loaded))) == "good"
    off(empty)


def test_drive_without_lock_says_so_and_refuses_it(tmp_path: Path) -> None:
    bench = powered(tmp_path, locks=False)
    told = bench.execute(read_page(InPage.MANAGEMENT_CAPABILITIES)).data_in
    sense = sense_of(bench.execute(parameters(bench, lock=True)))

    assert not decode_page(ManagementCapabilities, told).lock_c
    assert (sense.code, sense.field) == ("5/26/00", FieldPointer(4, 0))


def test_refused_list_changes_nothing(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    install(bench, ENC, DEC, lock=True)
    before = status(bench)

    assert code(bench.execute(parameters(bench, OFF, D, algorithm_index=3, ckorl=True))) == "5/26/00"

    assert status(bench) == before
    assert write(bench, b"still under the key") == "good"


# --- keys wrapped for the drive ---------------------------------------------------------------------------------


def wrapped(bench: Bench, *, label: bytes | None = None, padded: bytes | None = None) -> bytes:
    page = rsa_2048(decode_public_key(bench.execute(read_page(InPage.PUBLIC_KEY)).data_in))
    assert page is not None
    parts = [LabelPart(LabelType.DEVICE_SERVER, bench.drive.naa), LabelPart(LabelType.KEY_LENGTH, b"\x01\x00")]
    told = encode_label(parts)
    public = rsa.RSAPublicNumbers(page.exponent, page.modulus).public_key()
    oaep = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), told if label is None else label)
    data = public.encrypt(padded or KEY, oaep)
    return encode_wrapped_key(WrappedKey(PublicKeyType.RSA_2048, told, data))


@pytest.mark.parametrize("name", ["ibm-lto7", "ibm-lto9", "hpe-lto6", "quantum-lto4"])
def test_wrapped_key_is_the_same_key(tmp_path: Path, name: str) -> None:
    bench = powered(tmp_path, name)
    install(bench, ENC, DEC, key=wrapped(bench), key_format=KeyFormat.WRAPPED)
    assert write(bench, b"under the wrapped key") == "good"
    rewind(bench)
    off(bench)

    install(bench, OFF, DEC, key=KEY)

    assert read(bench).data_in == b"under the wrapped key"


@pytest.mark.parametrize("fault", ["another label", "31 bytes", "not wrapped at all", "another drive"])
def test_key_that_cannot_be_unwrapped_is_refused(tmp_path: Path, fault: str) -> None:
    bench = powered(tmp_path, "ibm-lto9")
    field = {
        "another label": lambda: wrapped(bench, label=b"else"),
        "31 bytes": lambda: wrapped(bench, padded=KEY[:31]),
        "not wrapped at all": lambda: KEY,
        "another drive": lambda: encode_wrapped_key(WrappedKey(PublicKeyType.RSA_2048, b"", bytes(256))),
    }[fault]()

    reply = bench.execute(parameters(bench, key=field, key_format=KeyFormat.WRAPPED))

    assert code(reply) == "5/74/0C"
    assert status(bench).key_instance_counter == 0


@pytest.mark.parametrize("name", ["ibm-lto6", "hpe-lto5", "oracle-t10000c"])
def test_drive_without_the_format_refuses_a_wrapped_key(tmp_path: Path, name: str) -> None:
    bench = powered(tmp_path, name)

    sense = sense_of(bench.execute(parameters(bench, key=bytes(300), kads=(U,), key_format=KeyFormat.WRAPPED)))

    assert (sense.code, sense.field) == ("5/26/00", FieldPointer(9, 7))


def test_kad_format_is_told_again_for_parameters_and_block(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    install(bench, ENC, DEC, kads=(U,), kad_format=KadFormat.ASCII_NAME)
    assert write(bench, b"named") == "good"
    assert code(bench.execute(media.rewind())) == "good"

    assert status(bench).kad_format is KadFormat.ASCII_NAME
    assert next_block(bench).kad_format is KadFormat.ASCII_NAME


@pytest.mark.parametrize("name", ["ibm-lto4", "hpe-lto5", "quantum-lto4", "oracle-t10000c"])
def test_kad_format_is_refused_where_it_is_not_honoured(tmp_path: Path, name: str) -> None:
    bench = powered(tmp_path, name)

    sense = sense_of(bench.execute(parameters(bench, kads=(U,), kad_format=KadFormat.ASCII_NAME)))

    assert (sense.code, sense.field) == ("5/26/00", FieldPointer(10, 7))

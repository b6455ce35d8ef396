"""Reading and writing by modes: the reference's 6.5 and 6.6, cell by cell, over the personalities."""

from pathlib import Path

import pytest

from tapekey.scsi import media
from tapekey.scsi.encryption import Ceem, DecryptionMode, EncryptionMode, Rdmc
from tapekey.scsi.encryption_status import BlockEncryption
from tapekey.scsi.kad import Kad, KadType
from tapekey.target.medium_raw import METADATA
from tests.bench import NAMES, Bench, made, powered
from tests.target.initiator import (
    KEY,
    ORACLE_UKAD,
    OTHER_KEY,
    UKAD,
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

D, R, DEC, MIX = DecryptionMode.DISABLE, DecryptionMode.RAW, DecryptionMode.DECRYPT, DecryptionMode.MIXED
OFF, EXT, ENC = EncryptionMode.DISABLE, EncryptionMode.EXTERNAL, EncryptionMode.ENCRYPT
PLAIN = b"the plain block"

# decryption mode, what is on the tape, key given: what a READ answers
READING = {
    "disable, clear": (D, "clear", None, "good"),
    "disable, encrypted": (D, "encrypted", None, "7/74/01"),
    "raw, clear": (R, "clear", None, "7/74/02"),
    "raw, encrypted": (R, "encrypted", None, "good"),
    "raw, encrypted and marked raw-disabled": (R, "marked", None, "7/74/0A"),
    "decrypt, clear": (DEC, "clear", KEY, "7/74/02"),
    "decrypt, encrypted, right key": (DEC, "encrypted", KEY, "good"),
    "decrypt, encrypted, wrong key": (DEC, "encrypted", OTHER_KEY, "7/74/03"),
    "mixed, clear": (MIX, "clear", KEY, "good"),
    "mixed, encrypted, right key": (MIX, "encrypted", KEY, "good"),
    "mixed, encrypted, wrong key": (MIX, "encrypted", OTHER_KEY, "7/74/03"),
    "mixed, clear, any key": (MIX, "clear", OTHER_KEY, "good"),
}


def recorded(bench: Bench, what: str) -> None:
    if what == "clear":
        off(bench)
    else:
        install(bench, ENC, DEC, rdmc=Rdmc.DISABLE_RAW if what == "marked" else Rdmc.DEFAULT)
    assert write(bench, PLAIN) == "good"
    rewind(bench)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("mode", "what", "key", "answer"), READING.values(), ids=READING)
def test_read_answers_as_the_table_says(
    tmp_path: Path, name: str, mode: DecryptionMode, what: str, key: bytes | None, answer: str
) -> None:
    bench = powered(tmp_path, name)
    raw_allowed = name != "oracle-t10000c"
    if (mode is R or what == "marked") and not raw_allowed:
        assert code(bench.execute(parameters(bench, OFF, R, key=None))) == "5/26/00"
        return
    recorded(bench, what)
    install(bench, OFF, mode, key=key, kads=ORACLE_UKAD if key and not raw_allowed else ())

    reply = read(bench)

    assert code(reply) == answer
    if answer == "good" and mode is not R:
        assert reply.data_in == PLAIN
    elif answer == "good":
        assert PLAIN not in reply.data_in
        assert len(reply.data_in) > len(PLAIN)
    else:
        assert sense_of(reply).information == 65_536
        assert bench.drive.tape.position == 0


@pytest.mark.parametrize("name", NAMES)
def test_block_reads_after_the_right_key_follows_the_wrong_one(tmp_path: Path, name: str) -> None:
    bench = powered(tmp_path, name)
    kads = ORACLE_UKAD if name.startswith("oracle") else ()
    recorded(bench, "encrypted")
    install(bench, OFF, DEC, key=OTHER_KEY, kads=kads)
    assert code(read(bench)) == "7/74/03"

    install(bench, OFF, DEC, key=KEY, kads=kads)

    assert read(bench).data_in == PLAIN


CEEM = {
    "external refused, block external": (Ceem.REFUSE_EXTERNAL, True, "7/74/09"),
    "external refused, block encrypted here": (Ceem.REFUSE_EXTERNAL, False, "good"),
    "encrypted refused, block external": (Ceem.REFUSE_ENCRYPTED, True, "good"),
    "encrypted refused, block encrypted here": (Ceem.REFUSE_ENCRYPTED, False, "7/74/09"),
    "no check, block external": (Ceem.NO_CHECK, True, "good"),
    "default, block encrypted here": (Ceem.DEFAULT, False, "good"),
}


@pytest.mark.parametrize(("ceem", "external", "answer"), CEEM.values(), ids=CEEM)
def test_ceem_checks_how_a_block_was_written(tmp_path: Path, ceem: Ceem, external: bool, answer: str) -> None:
    bench = powered(tmp_path)
    recorded(bench, "encrypted")
    if external:
        copy_raw(bench)

    install(bench, OFF, DEC, ceem=ceem)

    assert code(read(bench)) == answer


def copy_raw(bench: Bench) -> None:
    """Replace the first block by its own raw copy."""
    install(bench, OFF, R, key=None)
    metadata = next(kad for kad in next_block(bench).kads if kad.type is KadType.METADATA)
    raw = read(bench).data_in
    rewind(bench)
    install(bench, EXT, D, key=None, kads=(Kad(KadType.METADATA, metadata.value),))
    assert write(bench, raw) == "good"
    rewind(bench)


def test_raw_copy_reads_with_the_key_and_shows_that_it_was_external(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    recorded(bench, "encrypted")
    copy_raw(bench)
    install(bench, OFF, DEC)

    assert next_block(bench).emes
    assert read(bench).data_in == PLAIN


EXTERNAL = {
    "what is no raw block": (b"host data", "7/74/0B"),
    "an empty header": (bytes(64), "7/74/0B"),
}


@pytest.mark.parametrize(("data", "answer"), EXTERNAL.values(), ids=EXTERNAL)
def test_external_write_refuses(tmp_path: Path, data: bytes, answer: str) -> None:
    bench = powered(tmp_path)
    install(bench, EXT, D, key=None, kads=(Kad(KadType.METADATA, bytes(METADATA)),))

    assert write(bench, data) == answer
    assert bench.drive.tape.objects == 0


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("mode", "clear"), [(OFF, True), (ENC, False)], ids=["disable", "encrypt"])
def test_write_leaves_clear_bytes_on_the_medium_only_when_disabled(
    tmp_path: Path, name: str, mode: EncryptionMode, clear: bool
) -> None:
    bench = powered(tmp_path, name)
    install(bench, mode, DEC)
    assert write(bench, PLAIN * 10) == "good"
    assert code(bench.execute(media.flush())) == "good"

    stored = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())

    assert (PLAIN in stored) is clear
    assert KEY not in stored


def test_equal_blocks_are_stored_differently(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    install(bench, ENC, DEC)
    seen = set()
    for _ in range(20):
        rewind(bench)
        assert write(bench, PLAIN) == "good"
        header = bench.drive.tape.log.read_header(0)
        assert header.block is not None
        assert header.block.seal is not None
        seen.add(header.block.seal.iv)

    assert len(seen) == 20


LATENT = {
    "algorithm of an older format": {"algorithm_index": 1},
    "A-KAD longer than the format's": {"kads": (Kad(KadType.AUTHENTICATED, bytes(61)),)},
    "U-KAD longer than the format's": {"kads": (Kad(KadType.UNAUTHENTICATED, bytes(33)),)},
}


@pytest.mark.parametrize("fields", LATENT.values(), ids=LATENT)
def test_parameters_that_do_not_fit_the_volume_fail_at_the_write(tmp_path: Path, fields: dict[str, object]) -> None:
    bench = powered(tmp_path, "ibm-lto6")
    assert code(bench.execute(parameters(bench, ENC, DEC, **fields))) == "good"  # type: ignore[arg-type]

    assert write(bench, PLAIN) == "7/74/07"
    assert bench.drive.tape.objects == 0


def test_older_cartridge_takes_the_older_algorithm(tmp_path: Path) -> None:
    bench = powered(tmp_path, "ibm-lto6", empty=True)
    bench.insert(made(tmp_path, "lto5", "OLD"))
    install(bench, ENC, DEC, algorithm_index=2)

    assert write(bench, PLAIN) == "good"
    rewind(bench)
    assert next_block(bench).algorithm_index == 2


def test_oracle_compares_the_ukad_of_every_block(tmp_path: Path) -> None:
    bench = powered(tmp_path, "oracle-t10000c")
    install(bench, ENC, DEC, kads=UKAD)
    assert write(bench, PLAIN) == "good"
    rewind(bench)

    install(bench, OFF, DEC, kads=(Kad(KadType.UNAUTHENTICATED, b"another name"),))
    assert code(read(bench)) == "7/74/03"
    install(bench, OFF, DEC, kads=UKAD)
    assert read(bench).data_in == PLAIN


@pytest.mark.parametrize("name", NAMES)
def test_key_is_not_chosen_by_kad_but_the_block_tells_it(tmp_path: Path, name: str) -> None:
    bench = powered(tmp_path, name)
    install(bench, ENC, DEC, kads=UKAD)
    assert write(bench, PLAIN) == "good"
    rewind(bench)
    off(bench)

    found = next_block(bench)

    assert found.encryption is BlockEncryption.NO_KEY
    assert found.kads[0].value.rstrip(b"\0") == b"a name"
    assert found.algorithm_index == bench.drive.personality.algorithms[-1].index


@pytest.mark.parametrize(("limit", "tries"), [(10, 10), (3, 3)])
def test_wrong_keys_lock_the_drive_until_reload(tmp_path: Path, limit: int, tries: int) -> None:
    bench = powered(tmp_path, "hpe-lto6", wrong_key_limit=limit)
    recorded(bench, "encrypted")
    for _ in range(tries):
        install(bench, OFF, DEC, key=OTHER_KEY)
        assert code(read(bench)) == "7/74/03"
        assert code(read(bench)) == "7/74/03"

    assert code(bench.execute(parameters(bench, OFF, DEC))) == "7/26/10"
    assert code(bench.execute(media.unload())) == "good"
    assert code(bench.execute(media.load())) == "good"
    install(bench, OFF, DEC)
    assert read(bench).data_in == PLAIN


def test_right_key_sets_the_count_of_wrong_ones_back(tmp_path: Path) -> None:
    bench = powered(tmp_path, "hpe-lto6", wrong_key_limit=2)
    recorded(bench, "encrypted")
    for key, answer in ((OTHER_KEY, "7/74/03"), (KEY, "good"), (OTHER_KEY, "7/74/03"), (KEY, "good")):
        install(bench, OFF, DEC, key=key)
        assert code(read(bench)) == answer
        rewind(bench)


def test_looking_at_the_next_block_is_no_try(tmp_path: Path) -> None:
    bench = powered(tmp_path, "hpe-lto6", wrong_key_limit=1)
    recorded(bench, "encrypted")
    install(bench, OFF, DEC, key=OTHER_KEY)

    assert next_block(bench).encryption is BlockEncryption.NO_KEY

    install(bench, OFF, DEC)


def test_kad_of_the_parameters_is_told_by_the_status_page(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    install(bench, ENC, DEC, kads=UKAD)

    assert status(bench).kads == UKAD
    off(bench)
    assert status(bench).kads == ()

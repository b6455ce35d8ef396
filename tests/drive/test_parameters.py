"""Encryption parameters set, read back, compared: pages 0010h and 0020h, reference 2.5, 3.2, 3.3, 6.4."""

import io
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from tapekey import errors
from tapekey.drive import abilities, data, load, parameters
from tapekey.drive.abilities import Abilities
from tapekey.drive.identity import DriveId, identify
from tapekey.drive.load import Patience
from tapekey.exchange import Command, Transport
from tapekey.scsi.codes import Opcode
from tapekey.scsi.encryption import DecryptionMode, DkadCapability, EncryptionMode, Scope
from tapekey.scsi.encryption_status import EncryptionStatus
from tapekey.scsi.kad import Kad, KadType
from tapekey.scsi.media import test_unit_ready as unit_ready
from tapekey.scsi.set_encryption import decode_set_data_encryption
from tapekey.secret import Secret
from tests.bench import NAA, NAMES, Bench, powered
from tests.octets import octets
from tests.waist import Meddling, at_step, by_opcode, cut, good, patched, refused, spin, steps_of

KEY = bytes(range(0x60, 0x80))
OTHER_KEY = bytes(range(0x80, 0xA0))
NAME = b"0123456789abcdef"
SPOUT = by_opcode(Opcode.SECURITY_PROTOCOL_OUT)
AT_ONCE = Patience(seconds=0.0)


def install(
    transport: Transport,
    able: Abilities,
    encryption: EncryptionMode = EncryptionMode.ENCRYPT,
    decryption: DecryptionMode = DecryptionMode.MIXED,
    key: bytes = KEY,
    *,
    clear_on_demount: bool = True,
    lock: bool = False,
) -> EncryptionStatus:
    return parameters.set_key(
        transport,
        able,
        encryption=encryption,
        decryption=decryption,
        plain=Secret(key),
        kads=able.kad_room.split(NAME),
        clear_on_demount=clear_on_demount,
        lock=lock,
    )


def sent(bench: Bench) -> list[Command]:
    return [command for command in bench.commands if SPOUT(command)]


@pytest.mark.parametrize("name", NAMES)
def test_a_key_for_writing_is_what_the_drive_reports(name: str, tmp_path: Path) -> None:
    bench = powered(tmp_path, name)
    able = abilities.abilities(bench)
    status = install(bench, able)
    assert (status.encryption, status.decryption) == (EncryptionMode.ENCRYPT, DecryptionMode.MIXED)
    assert parameters.kads_of(status.kads) == NAME
    assert (status.nexus_scope, status.parameters_scope) == (Scope.ALL, Scope.ALL)
    assert able.algorithm is not None
    assert status.algorithm_index == able.algorithm.index
    assert status == parameters.status(bench)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_written_under_it_reads_back_under_the_key_alone(name: str, tmp_path: Path) -> None:
    bench = powered(tmp_path, name)
    able = abilities.abilities(bench)
    install(bench, able)
    data.write(bench, io.BytesIO(b"the data"))
    install(bench, able, EncryptionMode.DISABLE, DecryptionMode.DECRYPT)
    sink = io.BytesIO()
    data.read(bench, sink)
    assert sink.getvalue() == b"the data"
    install(bench, able, EncryptionMode.DISABLE, DecryptionMode.DECRYPT, OTHER_KEY)
    with pytest.raises(errors.WrongKey):
        data.read(bench, io.BytesIO())


@pytest.mark.parametrize("name", NAMES)
def test_reading_sends_key_associated_data_only_where_it_is_demanded(name: str, tmp_path: Path) -> None:
    bench = powered(tmp_path, name)
    able = abilities.abilities(bench)
    install(bench, able, EncryptionMode.DISABLE, DecryptionMode.DECRYPT)
    _, _, kads = decode_set_data_encryption(sent(bench)[-1].data_out)  # type: ignore[arg-type]
    demanded = able.decryption_kad == DkadCapability.REQUIRED
    assert demanded is (name == "oracle-t10000c")
    assert parameters.kads_of(kads) == (NAME if demanded else b"")


@pytest.mark.parametrize("name", NAMES)
def test_clearing_leaves_no_key(name: str, tmp_path: Path) -> None:
    bench = powered(tmp_path, name)
    able = abilities.abilities(bench)
    install(bench, able)
    status = parameters.clear_key(bench, able)
    assert (status.encryption, status.decryption) == (EncryptionMode.DISABLE, DecryptionMode.DISABLE)
    assert bench.drive.parameters.shared.key is None


def test_the_page_is_sent_byte_for_byte(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    install(bench, abilities.abilities(bench), lock=True)
    image = sent(bench)[-1].data_out
    assert isinstance(image, Secret)
    # Reference 3.2: ALL I_T NEXUS with LOCK, CKOD, ENCRYPT, MIXED, index 3 of IBM LTO-6; 32 key bytes; A-KAD.
    assert bytes(image.reveal()) == octets("""
        00 10 00 44  41 04 02 03 03 00 00 00 00 00 00 00 00 00 00 20
        60 61 62 63 64 65 66 67 68 69 6a 6b 6c 6d 6e 6f 70 71 72 73 74 75 76 77 78 79 7a 7b 7c 7d 7e 7f
        01 00 00 10  30 31 32 33 34 35 36 37 38 39 61 62 63 64 65 66
    """)


def test_the_key_goes_with_its_cartridge(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    install(bench, abilities.abilities(bench))
    load.unload(bench, AT_ONCE)
    assert parameters.status(bench).encryption == EncryptionMode.DISABLE
    assert bench.drive.parameters.shared.key is None


def test_a_key_may_stay_for_the_next_cartridge_when_asked_to(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    install(bench, abilities.abilities(bench), clear_on_demount=False)
    load.unload(bench, AT_ONCE)
    assert parameters.status(bench).encryption == EncryptionMode.ENCRYPT


def test_a_locked_key_is_not_replaced_unnoticed(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    able = abilities.abilities(bench)
    install(bench, able, lock=True)
    other = bench.as_other()
    install(other, able, key=OTHER_KEY)
    bench.execute(unit_ready())  # takes 6/2A/11
    with pytest.raises(errors.StateChanged) as caught:
        data.write(bench, io.BytesIO(b"data"))
    assert caught.value.code == "7/2A/13"


def test_a_key_set_by_another_meanwhile_is_an_attention(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    able = abilities.abilities(bench)
    install(bench, able)
    install(bench.as_other(), able, key=OTHER_KEY)
    with pytest.raises(errors.StateChanged) as caught:
        parameters.status(bench)
    assert caught.value.code == "6/2A/11"


# --- wrapped ------------------------------------------------------------------------------------------------

LABEL = octets("00 00 00 08  50 00 e1 11 00 00 00 01   04 00 00 02  01 00")  # reference 3.5


def test_the_label_names_the_drive() -> None:
    assert parameters.wrap_label(DriveId("IBM", "X", "1", NAA)) == LABEL


def test_a_drive_without_a_name_of_its_own_gets_no_label() -> None:
    with pytest.raises(errors.Usage):
        parameters.wrap_label(DriveId("IBM", "X", "1"))


def _wrapped(able: Abilities, label: bytes) -> bytes:
    assert able.public_key is not None
    public = rsa.RSAPublicNumbers(able.public_key.exponent, able.public_key.modulus).public_key()
    return public.encrypt(KEY, padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), label))


@pytest.mark.parametrize("name", ["ibm-lto9", "hpe-lto6"])
def test_a_key_wrapped_for_the_drive_is_the_key(name: str, tmp_path: Path) -> None:
    bench = powered(tmp_path, name)
    able = abilities.abilities(bench)
    install(bench, able)
    data.write(bench, io.BytesIO(b"the data"))
    label = parameters.wrap_label(identify(bench))
    modes = {"encryption": EncryptionMode.DISABLE, "decryption": DecryptionMode.DECRYPT}
    parameters.set_key(bench, able, wrapped=_wrapped(able, label), label=label, **modes)  # type: ignore[arg-type]
    sink = io.BytesIO()
    data.read(bench, sink)
    assert sink.getvalue() == b"the data"
    assert KEY not in b"".join(bytes(command.data_out.reveal()) for command in sent(bench)[1:])  # type: ignore[union-attr]


def test_a_key_wrapped_for_another_drive_is_refused(tmp_path: Path) -> None:
    bench = powered(tmp_path, "ibm-lto9")
    able = abilities.abilities(bench)
    wrapped = _wrapped(able, b"another label")
    modes = {"encryption": EncryptionMode.ENCRYPT, "decryption": DecryptionMode.MIXED}
    with pytest.raises(errors.RequestRefused) as caught:
        parameters.set_key(bench, able, wrapped=wrapped, label=LABEL, **modes)  # type: ignore[arg-type]
    assert caught.value.code == "5/74/0C"


def test_a_wrapped_key_is_not_sent_to_a_drive_that_takes_none(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    able = abilities.abilities(bench)
    modes = {"encryption": EncryptionMode.ENCRYPT, "decryption": DecryptionMode.MIXED}
    with pytest.raises(errors.Usage):
        parameters.set_key(bench, able, wrapped=bytes(256), label=LABEL, **modes)  # type: ignore[arg-type]
    assert sent(bench) == []


# --- refusals before anything is sent -----------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 16, 31, 33, 64])
def test_a_key_has_32_bytes_or_is_not_sent(size: int, tmp_path: Path) -> None:
    bench = powered(tmp_path)
    with pytest.raises(errors.Usage):
        install(bench, abilities.abilities(bench), key=bytes(size))
    assert sent(bench) == []


def test_no_algorithm_no_key(tmp_path: Path) -> None:
    bench = powered(tmp_path, empty=True)
    able = abilities.abilities(bench)
    modes = {"encryption": EncryptionMode.ENCRYPT, "decryption": DecryptionMode.MIXED}
    with pytest.raises(errors.NoEncryption):
        parameters.set_key(bench, able, plain=Secret(KEY), **modes)  # type: ignore[arg-type]
    assert sent(bench) == []


@pytest.mark.parametrize("both", [True, False])
def test_a_key_is_either_plain_or_wrapped(both: bool, tmp_path: Path) -> None:
    bench = powered(tmp_path)
    given = {"plain": Secret(KEY), "wrapped": bytes(256)} if both else {}
    modes = {"encryption": EncryptionMode.ENCRYPT, "decryption": DecryptionMode.MIXED}
    with pytest.raises(ValueError, match="either plain or wrapped"):
        parameters.set_key(bench, abilities.abilities(bench), **modes, **given)  # type: ignore[arg-type]
    assert sent(bench) == []


# --- a drive that lies, refuses, or breaks ------------------------------------------------------------------

# Byte of page 0020h (reference 2.5), and what the drive reports there instead.
LIES = {
    "scope of this nexus": (4, "02"),
    "scope of the parameters": (4, "40"),
    "encryption mode": (5, "00"),
    "decryption mode": (6, "02"),
    "algorithm index": (7, "01"),
    "A-KAD": (28, "ff"),
    "key instance counter": (8, "00000000"),
}


@pytest.mark.parametrize(("offset", "value"), LIES.values(), ids=LIES)
def test_a_status_that_differs_is_a_lie(offset: int, value: str, tmp_path: Path) -> None:
    bench = powered(tmp_path)
    able = abilities.abilities(bench)
    lying = Meddling(bench, spin(0x20), change=patched(offset, bytes.fromhex(value)), after=1)
    with pytest.raises(errors.DriveLied) as caught:
        install(lying, able)
    assert caught.value.mend


def test_the_lie_is_named(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    lying = Meddling(bench, spin(0x20), change=patched(5, b"\0"), after=1)
    with pytest.raises(errors.DriveLied, match="encryption mode was to be ENCRYPT, it reports DISABLE"):
        install(lying, abilities.abilities(bench))


def test_a_drive_that_forgets_the_name_of_the_key_lied(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    able = abilities.abilities(bench)
    nameless = Meddling(bench, spin(0x20), change=lambda reply: cut(24)(patched(2, b"\0\x14")(reply)), after=1)
    with pytest.raises(errors.DriveLied, match="A-KAD"):
        install(nameless, able)


def test_a_drive_that_takes_the_key_and_does_nothing_lied(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    with pytest.raises(errors.DriveLied):
        install(Meddling(bench, SPOUT, instead=good()), abilities.abilities(bench))


def test_the_same_key_set_twice_must_move_the_counter(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    able = abilities.abilities(bench)
    install(bench, able)
    with pytest.raises(errors.DriveLied, match="counter"):
        install(Meddling(bench, SPOUT, instead=good()), able)


def test_a_drive_that_does_not_clear_lied(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    able = abilities.abilities(bench)
    install(bench, able)
    with pytest.raises(errors.DriveLied, match="after clearing"):
        parameters.clear_key(Meddling(bench, SPOUT, instead=good()), able)


# Reference 3.3 and 5.1.
REFUSALS = {
    "7/26/10": errors.KeyTriesExhausted,
    "5/74/21": errors.KeyManagedElsewhere,
    "5/26/00": errors.RequestRefused,
    "5/26/11": errors.RequestRefused,
    "6/2A/11": errors.StateChanged,
    "6/28/00": errors.StateChanged,
    "4/44/00": errors.HardwareFailed,
}


@pytest.mark.parametrize(("code", "kind"), REFUSALS.items(), ids=REFUSALS)
def test_a_refused_key_is_sent_once(code: str, kind: type[errors.DeviceError], tmp_path: Path) -> None:
    bench = powered(tmp_path)
    able = abilities.abilities(bench)
    refusing = Meddling(bench, SPOUT, instead=refused(code))
    with pytest.raises(errors.DeviceError) as caught:
        install(refusing, able)
    assert type(caught.value) is kind
    assert refusing.seen == 1


def test_ten_wrong_keys_are_told_apart_from_a_broken_drive(tmp_path: Path) -> None:
    bench = powered(tmp_path, "hpe-lto6")
    able = abilities.abilities(bench)
    install(bench, able)
    data.write(bench, io.BytesIO(b"data"))
    with pytest.raises(errors.KeyTriesExhausted):  # noqa: PT012
        for number in range(11):
            install(bench, able, EncryptionMode.DISABLE, DecryptionMode.DECRYPT, bytes([number]) * 32)
            with pytest.raises(errors.WrongKey):
                data.read(bench, io.BytesIO())


@pytest.mark.parametrize("verb", [install, parameters.clear_key], ids=["set", "clear"])
def test_a_failure_at_any_step_is_that_failure(verb: object, tmp_path: Path) -> None:
    bench = powered(tmp_path)
    able = abilities.abilities(bench)

    def act(transport: Transport) -> object:
        return verb(transport, able)  # type: ignore[operator]

    for step in range(steps_of(bench, act)):
        with pytest.raises(errors.HardwareFailed):
            act(at_step(bench, step, instead=refused("4/44/00")))


@pytest.mark.parametrize("size", [0, 3, 23, 26])
def test_a_short_status_is_no_confirmation(size: int, tmp_path: Path) -> None:
    bench = powered(tmp_path)
    able = abilities.abilities(bench)
    with pytest.raises(errors.Malformed):
        install(Meddling(bench, spin(0x20), change=cut(size), after=1), able)


def test_key_associated_data_is_authenticated_first() -> None:
    kads = (Kad(KadType.UNAUTHENTICATED, b"u"), Kad(KadType.AUTHENTICATED, b"a"), Kad(KadType.NONCE, b"n"))
    assert parameters.kads_of(kads) == b"au"

"""What tests send to a virtual drive as a host would, and what they look at in its replies."""

from tapekey.exchange import Command, Reply
from tapekey.scsi import media
from tapekey.scsi.codes import Status
from tapekey.scsi.encryption import DecryptionMode, EncryptionMode, Scope
from tapekey.scsi.encryption_status import (
    EncryptionStatus,
    NextBlock,
    decode_next_block,
    decode_status,
    read_next_block,
    read_status,
)
from tapekey.scsi.kad import Kad, KadType
from tapekey.scsi.sense import Sense, decode_sense
from tapekey.scsi.set_encryption import SetDataEncryption, set_data_encryption
from tapekey.secret import Secret
from tests.bench import Bench

KEY = bytes(range(32))
OTHER_KEY = bytes(range(1, 33))
UKAD = (Kad(KadType.UNAUTHENTICATED, b"a name"),)
ORACLE_UKAD = (Kad(KadType.UNAUTHENTICATED, bytes(30)),)


def sense_of(reply: Reply) -> Sense:
    assert reply.status == Status.CHECK_CONDITION
    return decode_sense(reply.sense)


def code(reply: Reply) -> str:
    """ "good", "conflict", or the sense code as the reference writes it."""
    if reply.status == Status.CHECK_CONDITION:
        return decode_sense(reply.sense).code
    return {Status.GOOD: "good", Status.RESERVATION_CONFLICT: "conflict"}[Status(reply.status)]


def index_of(bench: Bench) -> int:
    """The index that is right for a cartridge of the drive's own generation."""
    return bench.drive.personality.algorithms[-1].index


def parameters(
    bench: Bench,
    encryption: EncryptionMode = EncryptionMode.ENCRYPT,
    decryption: DecryptionMode = DecryptionMode.DECRYPT,
    *,
    key: bytes | None = KEY,
    kads: tuple[Kad, ...] = (),
    **fields: object,
) -> Command:
    """A Set Data Encryption command; scope ALL unless told otherwise."""
    page = {
        "scope": Scope.ALL,
        "encryption": encryption,
        "decryption": decryption,
        "algorithm_index": index_of(bench),
        **fields,
    }
    return set_data_encryption(SetDataEncryption(**page), Secret(key) if key else None, kads)  # type: ignore[arg-type]


def readable_kads(bench: Bench) -> tuple[Kad, ...]:
    """The key-associated data without which this drive's blocks do not come back."""
    return ORACLE_UKAD if bench.drive.personality.name.startswith("oracle") else ()


def install(bench: Bench, encryption: EncryptionMode, decryption: DecryptionMode, **more: object) -> None:
    more.setdefault("kads", readable_kads(bench))
    assert code(bench.execute(parameters(bench, encryption, decryption, **more))) == "good"  # type: ignore[arg-type]


def off(bench: Bench) -> None:
    install(bench, EncryptionMode.DISABLE, DecryptionMode.DISABLE, key=None, kads=())


def write(bench: Bench, data: bytes) -> str:
    return code(bench.execute(media.write_block(data)))


def read(bench: Bench, room: int = 65_536) -> Reply:
    return bench.execute(media.read_block(room, short_is_good=True))


def rewind(bench: Bench) -> None:
    assert code(bench.execute(media.rewind())) == "good"


def status(bench: Bench) -> EncryptionStatus:
    return decode_status(bench.execute(read_status()).data_in)


def next_block(bench: Bench) -> NextBlock:
    return decode_next_block(bench.execute(read_next_block()).data_in)

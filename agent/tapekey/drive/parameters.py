"""The encryption parameters of a drive: set, read back, compared.

A key goes in once, for all nexuses. What counts is the drive's own account of it (page 0020h) afterwards; where that
differs from what was asked, nothing is claimed and the caller must treat the drive as keyed with something unknown.
"""

from tapekey.drive.abilities import Abilities
from tapekey.drive.identity import DriveId
from tapekey.errors import DriveLied, NoEncryption, Usage
from tapekey.exchange import Transport
from tapekey.scsi import encryption_status
from tapekey.scsi.encryption import Algorithm, DecryptionMode, DkadCapability, EncryptionMode, KeyFormat, Scope
from tapekey.scsi.encryption_status import EncryptionStatus
from tapekey.scsi.kad import Kad, KadType
from tapekey.scsi.run import run
from tapekey.scsi.set_encryption import SetDataEncryption, set_data_encryption
from tapekey.scsi.wrapped_key import (
    LabelPart,
    LabelType,
    PublicKeyType,
    WrappedKey,
    encode_label,
    encode_wrapped_key,
)
from tapekey.secret import Secret

KEY_SIZE = 32
KEY_BITS = 256  # also the bytes of an RSA 2048 output: which of the two the label means is not known


def status(transport: Transport) -> EncryptionStatus:
    """The drive's account of the parameters in force (page 0020h)."""
    return encryption_status.decode_status(run(transport, encryption_status.read_status()))


def wrap_label(drive: DriveId) -> bytes:
    """The OAEP label that a key wrapped for this drive must be made with: its NAA binds it to this one drive."""
    if not drive.naa:
        raise Usage("a key cannot be wrapped for this drive", why="it gives no NAA to bind the key to")
    return encode_label(
        [LabelPart(LabelType.DEVICE_SERVER, drive.naa), LabelPart(LabelType.KEY_LENGTH, KEY_BITS.to_bytes(2, "big"))]
    )


def set_key(
    transport: Transport,
    abilities: Abilities,
    *,
    encryption: EncryptionMode,
    decryption: DecryptionMode,
    plain: Secret | None = None,
    wrapped: bytes | None = None,
    label: bytes = b"",
    kads: tuple[bytes, bytes] = (b"", b""),
    clear_on_demount: bool = True,
    lock: bool = False,
) -> EncryptionStatus:
    """Install a key for all nexuses and read back what the drive made of it. DriveLied: something differs.

    Exactly one of `plain` and `wrapped` is given; `label` is what the key was wrapped under (`wrap_label`). `kads` are
    A-KAD and U-KAD: they are sent when encrypting, and else only to a drive that demands them (DKAD_C), because
    other drives refuse key-associated data with ENCRYPTION MODE = DISABLE.
    """
    algorithm = _algorithm(abilities)
    form, key = _key_field(abilities, plain, wrapped, label)
    wanted = _kads(abilities, encryption, kads)
    page = SetDataEncryption(
        scope=Scope.ALL,
        lock=lock,
        ckod=clear_on_demount,
        encryption=encryption,
        decryption=decryption,
        algorithm_index=algorithm.index,
        key_format=form,
    )
    before = status(transport)
    run(transport, set_data_encryption(page, key, wanted))
    after = status(transport)
    _compare(page, wanted, after)
    if after.key_instance_counter == before.key_instance_counter:
        raise _lied(f"the key instance counter stayed at {after.key_instance_counter}")
    return after


def clear_key(transport: Transport, abilities: Abilities) -> EncryptionStatus:
    """Set both modes to DISABLE for all nexuses and read it back."""
    index = abilities.algorithm.index if abilities.algorithm else 0
    run(transport, set_data_encryption(SetDataEncryption(scope=Scope.ALL, algorithm_index=index)))
    after = status(transport)
    if (after.encryption, after.decryption) != (EncryptionMode.DISABLE, DecryptionMode.DISABLE):
        raise _lied(f"after clearing it reports {after.encryption.name} / {after.decryption.name}")
    return after


def kads_of(kads: tuple[Kad, ...]) -> bytes:
    """Key-associated data as it was laid out: A-KAD, then U-KAD."""
    by_type = {kad.type: kad.value for kad in kads}
    return by_type.get(KadType.AUTHENTICATED, b"") + by_type.get(KadType.UNAUTHENTICATED, b"")


def _algorithm(abilities: Abilities) -> Algorithm:
    if abilities.algorithm is None:
        raise NoEncryption(
            "the drive offers no algorithm for this cartridge",
            why=abilities.why,
            mend="mount a cartridge of a generation that the drive can encrypt",
        )
    return abilities.algorithm


def _key_field(
    abilities: Abilities, plain: Secret | None, wrapped: bytes | None, label: bytes
) -> tuple[KeyFormat, Secret]:
    """KEY FORMAT and KEY."""
    if (plain is None) == (wrapped is None):
        raise ValueError("a key is either plain or wrapped")
    if wrapped is not None:
        if KeyFormat.WRAPPED not in abilities.key_formats:
            raise Usage("the drive takes no wrapped key", why="it does not list key format 02h")
        return KeyFormat.WRAPPED, _wrapped_field(wrapped, label)
    assert plain is not None
    if len(plain) != KEY_SIZE:
        raise Usage(f"a data key has {KEY_SIZE} bytes", why=f"this has {len(plain)}")
    return KeyFormat.PLAINTEXT, plain


def _wrapped_field(wrapped: bytes, label: bytes) -> Secret:
    return Secret(encode_wrapped_key(WrappedKey(PublicKeyType.RSA_2048, label, wrapped)))


def _kads(abilities: Abilities, encryption: EncryptionMode, kads: tuple[bytes, bytes]) -> tuple[Kad, ...]:
    if encryption == EncryptionMode.DISABLE and abilities.decryption_kad != DkadCapability.REQUIRED:
        return ()
    kinds = (KadType.AUTHENTICATED, KadType.UNAUTHENTICATED)
    return tuple(Kad(kind, value) for kind, value in zip(kinds, kads, strict=True) if value)


def _compare(page: SetDataEncryption, kads: tuple[Kad, ...], after: EncryptionStatus) -> None:
    """Field by field, what was asked against what is reported."""
    pairs: dict[str, tuple[int | bytes, int | bytes]] = {
        "encryption mode": (page.encryption, after.encryption),
        "decryption mode": (page.decryption, after.decryption),
        "algorithm index": (page.algorithm_index, after.algorithm_index),
        "scope of this nexus": (page.scope, after.nexus_scope),
        "scope of the parameters": (page.scope, after.parameters_scope),
        "A-KAD": (_value(kads, KadType.AUTHENTICATED), _value(after.kads, KadType.AUTHENTICATED)),
        "U-KAD": (_value(kads, KadType.UNAUTHENTICATED), _value(after.kads, KadType.UNAUTHENTICATED)),
    }
    for name, (asked, reported) in pairs.items():
        if asked != reported:
            raise _lied(f"{name} was to be {_shown(asked)}, it reports {_shown(reported)}")


def _value(kads: tuple[Kad, ...], kind: KadType) -> bytes:
    return b"".join(kad.value for kad in kads if kad.type == kind)


def _shown(value: int | bytes) -> str:
    return (value.hex() or "empty") if isinstance(value, bytes) else getattr(value, "name", str(value))


def _lied(why: str) -> DriveLied:
    return DriveLied(
        "the drive did not take the encryption parameters as they were sent",
        why=why,
        mend="write nothing; unload the cartridge, and have the drive looked at if it happens again",
    )

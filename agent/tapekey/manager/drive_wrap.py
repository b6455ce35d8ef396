"""Wrap a data key for one drive (key format 02h): RSA-OAEP, SHA-256 and MGF1-SHA-256, with the drive's label.

Only for the public key that was pinned when the drive was approved, and a label that names that drive.
"""

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tapekey.errors import DriveUnknown
from tapekey.keys.data_key import DataKey
from tapekey.keys.recipient import RSA_BITS
from tapekey.keystore import drives
from tapekey.keystore.rows import Transaction
from tapekey.manager.questions import KeyMaterial, WrapTarget
from tapekey.secret import Secret


class KeyNotPinned(DriveUnknown):
    """The drive shows a public key or a name that is not the pinned one: an alarm, whoever asked."""


def pinned(modulus: int, exponent: int) -> bytes:
    """A drive's public key as it is put on record at approval: DER SubjectPublicKeyInfo."""
    public = _public_key("the drive's public key is not pinned", WrapTarget(modulus, exponent, b""))
    return public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def material_for(transaction: Transaction, key: DataKey, drive: str, target: WrapTarget | None) -> KeyMaterial:
    """The key as this drive gets it: wrapped if its public key was pinned, in clear only if none was."""
    if target is not None:
        with key.secret as secret:
            return KeyMaterial(key.id, wrapped=wrap_for(transaction, secret, drive, target))
    record = drives.get(transaction, drive)
    if record is not None and record.key:
        raise KeyNotPinned(
            f"the key is not given to drive {drive} in clear",
            why="it was approved with a public key, and none was shown",
            mend="find out what answers in its place",
        )
    return KeyMaterial(key.id, plain=key.secret)


def wrap_for(transaction: Transaction, secret: Secret, drive: str, target: WrapTarget) -> bytes:
    """The wrapped key, or KeyNotPinned."""
    what = f"the key is not wrapped for drive {drive}"
    record = drives.get(transaction, drive)
    if record is None or not record.key:
        why = "it is not approved" if record is None else "it was approved without a public key"
        raise KeyNotPinned(what, why=why, mend="look at the drive, then: tapekey drive approve")
    public = _public_key(what, target)
    if public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) != record.key:
        raise KeyNotPinned(what, why="its public key is not the pinned one", mend="find out what stands in its place")
    if not record.naa or record.naa not in target.label:
        raise KeyNotPinned(what, why="its label does not name the approved drive", mend="find out what answered")
    label = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), target.label)
    return public.encrypt(bytes(secret.reveal()), label)


def _public_key(what: str, target: WrapTarget) -> rsa.RSAPublicKey:
    try:
        public = rsa.RSAPublicNumbers(target.exponent, target.modulus).public_key()
    except ValueError as error:
        raise KeyNotPinned(what, why="its public key is no RSA key") from error
    if public.key_size not in RSA_BITS:
        raise KeyNotPinned(what, why=f"its public key has {public.key_size} bits")
    return public

"""The pairs of encryption and decryption mode that tapekey sets, under names that need no codes of the standard."""

from typing import Final

from tapekey.scsi.encryption import DecryptionMode, EncryptionMode
from tapekey.scsi.encryption_status import EncryptionStatus

Pair = tuple[EncryptionMode, DecryptionMode]
Status = EncryptionStatus  # the drive's account of its parameters

OFF: Final[Pair] = (EncryptionMode.DISABLE, DecryptionMode.DISABLE)
WRITE: Final[Pair] = (EncryptionMode.ENCRYPT, DecryptionMode.MIXED)
PARKED: Final[Pair] = (EncryptionMode.ENCRYPT, DecryptionMode.DISABLE)  # in an empty drive: needs no clear reading
READ: Final[Pair] = (EncryptionMode.DISABLE, DecryptionMode.DECRYPT)
READ_WITH_CLEAR_LABELS: Final[Pair] = (EncryptionMode.DISABLE, DecryptionMode.MIXED)


def in_force(status: EncryptionStatus) -> Pair:
    """The modes that the drive reports."""
    return status.encryption, status.decryption

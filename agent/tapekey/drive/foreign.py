"""Who may have set the encryption parameters in a drive, by the form of the key-associated data beside them.

The forms are those of shared knowledge, not proof: anybody can write anything there. What a form does not tell stays
untold.
"""

from collections.abc import Sequence

from tapekey.scsi.kad import Kad, KadType

DKI = 12  # bytes of an IBM key manager's identifier: three characters and nine bytes
DKI_TEXT = 3


def owner(kads: Sequence[Kad]) -> str:
    """Whose parameters these may be, in words with how sure that is."""
    by_type = {kad.type: kad.value for kad in kads if kad.value.strip(b"\0")}
    authenticated = by_type.get(KadType.AUTHENTICATED, b"")
    unauthenticated = by_type.get(KadType.UNAUTHENTICATED, b"")
    if not authenticated and not unauthenticated:
        return "not told: Bareos' scsicrypto plugin, Proxmox Backup Server and CTA leave no name beside the blocks"
    if _is_identifier(authenticated) and not unauthenticated:
        return f"probably LTFS or an IBM key manager: a key identifier of {DKI} bytes"
    if _is_text(unauthenticated) and not authenticated:
        return f"probably stenc, or software that names keys as it does: {_text(unauthenticated)!r}"
    if _is_text(authenticated) and not unauthenticated:
        return f"perhaps LTO Encryption Manager or NetBackup: {_text(authenticated)!r}"
    return "not known: no form that is known here"


def _is_identifier(value: bytes) -> bool:
    return len(value) == DKI and _is_text(value[:DKI_TEXT]) and not _is_text(value)


def _is_text(value: bytes) -> bool:
    words = value.rstrip(b"\0")
    return bool(words) and words.isascii() and words.decode("ascii").isprintable()


def _text(value: bytes) -> str:
    return value.rstrip(b"\0").decode("ascii")

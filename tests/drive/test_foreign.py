"""Whose parameters these may be: forms that others are known to use, and forms that nobody is."""

import pytest

from tapekey.drive.foreign import owner
from tapekey.scsi.kad import Kad, KadType

DKI = b"KEY" + bytes.fromhex("000102030405060708")  # three characters and nine bytes: LTFS' key_format_ltfs.c
A, U = KadType.AUTHENTICATED, KadType.UNAUTHENTICATED
FORMS = {
    "nothing": ((), "not told: Bareos' scsicrypto plugin, Proxmox Backup Server and CTA"),
    "zeros only, as T10000 fills up": ((Kad(U, bytes(30)),), "not told"),
    "a text, unauthenticated": ((Kad(U, b"September key"),), "probably stenc"),
    "a text filled up with zeros": ((Kad(U, b"September key".ljust(30, b"\0")),), "probably stenc"),
    "an identifier of 12 bytes": ((Kad(A, DKI),), "probably LTFS or an IBM key manager"),
    "a text, authenticated": ((Kad(A, b"alias-of-a-key"),), "perhaps LTO Encryption Manager or NetBackup"),
    "12 characters are a text": ((Kad(A, b"twelve chars"),), "perhaps LTO Encryption Manager or NetBackup"),
    "an identifier and a text": ((Kad(A, DKI), Kad(U, b"text")), "not known"),
    "bytes": ((Kad(U, bytes([0xE1, 2, 3])),), "not known"),
    "an identifier of 13 bytes": ((Kad(A, DKI + b"\1"),), "not known"),
}


@pytest.mark.parametrize(("kads", "said"), FORMS.values(), ids=FORMS)
def test_form_names_its_owner_as_far_as_it_goes(kads: tuple[Kad, ...], said: str) -> None:
    assert owner(kads).startswith(said)


def test_name_that_could_move_a_cursor_is_no_text() -> None:
    assert owner((Kad(U, b"\x1b[2J"),)).startswith("not known")

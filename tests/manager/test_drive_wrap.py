"""A key wrapped for a drive: only the pinned key of the approved drive, under a label that names it."""

from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tapekey.errors import DriveUnknown
from tapekey.keystore import store
from tapekey.manager import drive_wrap
from tapekey.manager.local import LocalManager
from tapekey.manager.questions import DriveRecord, KeyMaterial, Prepared, WrapTarget
from tapekey.policy.facts import KeyState
from tests.keystore import vault

MEDIUM = "MED0000001"
NAA = bytes.fromhex("500e09e000000001")
KEY = rsa.generate_private_key(65537, 2048)
DER = KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
NUMBERS = KEY.public_key().public_numbers()
LABEL = b"\x00\x00\x00\x08" + NAA
TARGET = WrapTarget(NUMBERS.n, NUMBERS.e, LABEL)
DRIVE = DriveRecord("HU1", NAA, "IBM", "ULT3580-TD8", "/dev/sg3", key=DER)


def release(manager: LocalManager, prepared: Prepared, target: WrapTarget) -> KeyMaterial:
    return manager.release(prepared.key_id, medium_serial=MEDIUM, drive="HU1", witnessed=prepared.envelope, wrap=target)


def opened(material: KeyMaterial) -> bytes:
    assert material.plain is None
    assert material.wrapped is not None
    return KEY.decrypt(material.wrapped, padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), LABEL))


def test_the_drive_alone_can_open_it(tmp_path: Path) -> None:
    with vault.manager(vault.make(tmp_path)) as manager:
        manager.approve(DRIVE)
        prepared = manager.prepare(vault.request())
        written = opened(release(manager, prepared, TARGET))
        read = opened(manager.key_for_reading(vault.found(prepared), drive="HU1", wrap=TARGET).material)
        plain = manager.key_for_reading(vault.found(prepared), drive="HU2", wrap=None).material.plain
    assert plain is not None
    assert written == read == bytes(plain.reveal())
    assert any(written)


OTHER = rsa.generate_private_key(65537, 2048).public_key().public_numbers()

WRONG = {
    "another key": (DRIVE, replace(TARGET, modulus=OTHER.n)),
    "another exponent": (DRIVE, replace(TARGET, exponent=3)),
    "no key at all": (DRIVE, replace(TARGET, modulus=0)),
    "another drive's label": (DRIVE, replace(TARGET, label=bytes(12))),
    "nothing pinned": (replace(DRIVE, key=b""), TARGET),
    "no NAA on record": (replace(DRIVE, naa=b""), TARGET),
    "another drive": (replace(DRIVE, serial="HU2"), TARGET),
}


@pytest.mark.parametrize("case", WRONG)
def test_anything_else_is_an_alarm_and_gets_no_key(tmp_path: Path, case: str) -> None:
    drive, target = WRONG[case]
    with vault.manager(vault.make(tmp_path)) as manager:
        manager.approve(drive)
        prepared = manager.prepare(vault.request())
        with pytest.raises(DriveUnknown):
            release(manager, prepared, target)
        line = store.audit_lines(manager.store)[-1]
        assert (line.event, line.alarm) == ("drive not as pinned", True)
        assert manager.known(vault.found(prepared)).facts.state is KeyState.PREPARED


def test_a_drive_with_a_pinned_key_gets_nothing_in_clear(tmp_path: Path) -> None:
    with vault.manager(vault.make(tmp_path)) as manager:
        manager.approve(DRIVE)
        prepared = manager.prepare(vault.request())
        with pytest.raises(DriveUnknown, match="in clear"):
            manager.release(prepared.key_id, medium_serial=MEDIUM, drive="HU1", witnessed=prepared.envelope, wrap=None)
        assert store.audit_lines(manager.store)[-1].alarm
        release(manager, prepared, TARGET)
        with pytest.raises(DriveUnknown, match="in clear"):
            manager.key_for_reading(vault.found(prepared), drive="HU1", wrap=None)


def test_reading_keys_are_wrapped_for_the_pinned_key_only_too(tmp_path: Path) -> None:
    with vault.manager(vault.make(tmp_path)) as manager:
        manager.approve(DRIVE)
        prepared = manager.prepare(vault.request())
        release(manager, prepared, TARGET)
        with pytest.raises(DriveUnknown):
            manager.key_for_reading(vault.found(prepared), drive="HU1", wrap=replace(TARGET, modulus=OTHER.n))
        assert store.audit_lines(manager.store)[-1].alarm


def test_a_key_that_can_be_factored_is_not_pinned() -> None:
    short = rsa.generate_private_key(65537, 1024).public_key().public_numbers()  # noqa: S505
    with pytest.raises(DriveUnknown, match="1024 bits"):
        drive_wrap.pinned(short.n, short.e)

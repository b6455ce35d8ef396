"""The embedded manager as a mount sees it."""

from dataclasses import replace
from pathlib import Path

import pytest

from tapekey.errors import Conflict, DriveUnknown, NotFound
from tapekey.keys.data_key import KeyId
from tapekey.keystore import store
from tapekey.keystore.check import check
from tapekey.manager.local import LocalManager
from tapekey.manager.questions import Account, DriveRecord, KeyManager, Mount
from tapekey.policy.facts import Intent, Stance, Subject
from tests.keystore import vault

DRIVE = DriveRecord("HU1", bytes.fromhex("500e09e000000001"), "IBM", "ULT3580-TD6", "virtual:/x", virtual=True)


def begun(manager: LocalManager, drive: str = "HU1") -> Mount:
    return manager.begin(drive, "MED0000001", "ENC001L6", Intent.SAVE)


def test_it_is_a_key_manager(tmp_path: Path) -> None:
    with vault.manager(vault.make(tmp_path)) as manager:
        whole: KeyManager = manager
        assert whole.current("HU1") is None


def test_the_default_only_observes_until_it_is_set(tmp_path: Path) -> None:
    with vault.manager(vault.make(tmp_path)) as manager:
        (rule,) = manager.rules()
    assert (rule.subject, rule.stance) == (Subject.DEFAULT, Stance.OBSERVE)


def test_generations_rise_per_drive(tmp_path: Path) -> None:
    place = vault.make(tmp_path)
    with vault.manager(place) as manager:
        assert [begun(manager).generation, begun(manager).generation, begun(manager, "HU2").generation] == [1, 2, 1]
    with vault.manager(place) as manager:
        assert begun(manager).generation == 3


def test_what_was_installed_is_the_drives_current_mount(tmp_path: Path) -> None:
    place = vault.make(tmp_path)
    with vault.manager(place) as manager:
        mount = replace(
            begun(manager), key_id=KeyId(b"k" * 16), kad=b"kad", key_instance_counter=0, change_reference=b"\0\1"
        )
        manager.installed(mount)
    with vault.manager(place) as manager:
        assert manager.current("HU1") == mount


def test_a_late_installation_is_a_conflict(tmp_path: Path) -> None:
    with vault.manager(vault.make(tmp_path)) as manager:
        old = begun(manager)
        new = begun(manager)
        with pytest.raises(Conflict, match="mount 1 .*is over"):
            manager.installed(old)
        assert manager.current("HU1") == new


def test_an_installation_for_another_cartridge_is_a_conflict(tmp_path: Path) -> None:
    with vault.manager(vault.make(tmp_path)) as manager, pytest.raises(Conflict):
        manager.installed(replace(begun(manager), medium_serial="OTHER"))


def test_a_mount_is_accounted_once(tmp_path: Path) -> None:
    with vault.manager(vault.make(tmp_path)) as manager:
        mount = begun(manager)
        for _ in range(2):
            manager.account(mount, Account(b"\0\0\0\7", first_encrypted=0, remarks=("clean",)))
        lines = [line for line in store.audit_lines(manager.store) if line.event == "mount accounted"]
        found = manager.current("HU1")
    assert len(lines) == 1
    assert found is not None
    assert (found.accounted, found.change_reference) == (True, b"\0\0\0\7")


def test_an_older_mount_can_still_be_accounted(tmp_path: Path) -> None:
    with vault.manager(vault.make(tmp_path)) as manager:
        old, new = begun(manager), begun(manager)
        manager.account(old, Account())
        assert manager.current("HU1") == new


def test_a_mount_that_never_began_is_not_found(tmp_path: Path) -> None:
    with vault.manager(vault.make(tmp_path)) as manager, pytest.raises(NotFound):
        manager.account(Mount(7, "HU1", "MED0000001", "", Intent.SAVE), Account())


def test_a_scratch_word_is_used_up_by_an_installation_for_writing(tmp_path: Path) -> None:
    with vault.manager(vault.make(tmp_path)) as manager:
        prepared = manager.prepare(vault.request())
        manager.scratch("MED0000001", by="operator")
        assert manager.known(vault.found(prepared)).facts.scratch
        reading = manager.begin("HU1", "MED0000001", "", Intent.RESTORE)
        manager.installed(replace(reading, key_id=prepared.key_id))
        assert manager.known(vault.found(prepared)).facts.scratch
        manager.installed(replace(begun(manager), key_id=prepared.key_id))
        assert not manager.known(vault.found(prepared)).facts.scratch


def test_once_required_stays_until_released(tmp_path: Path) -> None:
    with vault.manager(vault.make(tmp_path)) as manager:
        prepared = manager.prepare(vault.request())
        assert manager.known(vault.found(prepared)).facts.once_required
        manager.release_cartridge("ENC001L6", by="operator")
        assert not manager.known(vault.found(prepared)).facts.once_required


def test_a_drive_is_remembered_as_approved(tmp_path: Path) -> None:
    place = vault.make(tmp_path)
    with vault.manager(place) as manager:
        assert manager.drive("HU1") is None
        manager.approve(DRIVE)
        manager.approve(replace(DRIVE, hands_off=True))
    with vault.manager(place) as manager:
        assert manager.drive("HU1") == replace(DRIVE, hands_off=True)
        assert manager.drives() == (replace(DRIVE, hands_off=True),)


@pytest.mark.parametrize(
    "second",
    [
        replace(DRIVE, serial="HU2"),
        replace(DRIVE, naa=b"N" * 8),
        replace(DRIVE, key=b"another key"),
        replace(DRIVE, where="virtual:/y"),
    ],
    ids=["same NAA", "same serial", "another key", "another place"],
)
def test_two_drives_that_claim_one_identity_are_refused(tmp_path: Path, second: DriveRecord) -> None:
    with vault.manager(vault.make(tmp_path)) as manager:
        manager.approve(DRIVE)
        with pytest.raises(DriveUnknown):
            manager.approve(second)
        assert manager.drives() == (DRIVE,)


def test_everything_verifies_afterwards(tmp_path: Path) -> None:
    with vault.manager(vault.make(tmp_path)) as manager:
        manager.approve(DRIVE)
        prepared = manager.prepare(vault.request())
        mount = replace(begun(manager), key_id=prepared.key_id)
        manager.installed(mount)
        manager.account(mount, Account())
        manager.note("done", drive="HU1")
        assert check(manager.store)["mounts"] == 1

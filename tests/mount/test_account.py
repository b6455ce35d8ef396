"""The books: what the drive says of a mount, at unload or late."""

from dataclasses import replace
from pathlib import Path

import pytest

from tapekey.keys.data_key import KeyId
from tapekey.manager.questions import Account, Mount
from tapekey.mount import account
from tapekey.mount.account import TAKEN_OUT, contradiction
from tapekey.policy.facts import Intent
from tests.mount import tampering
from tests.rig import rig

SAVED = Mount(1, "HU1", "MED1", "ENC001L6", Intent.SAVE, KeyId(bytes(16)), b"kad", 1, b"\0\0\0\1")
READ = replace(SAVED, intent=Intent.RESTORE)

CASES = {
    "saved, all encrypted": (SAVED, Account(b"\0\0\0\2", 0, -1), ""),
    "saved, not told": (SAVED, Account(b"\0\0\0\2", None, None), ""),
    "saved, clear behind encrypted": (SAVED, Account(b"\0\0\0\2", 0, 7), "at object 7"),
    "saved, clear at the beginning": (SAVED, Account(b"\0\0\0\2", 0, 0), "at object 0"),
    "saved in clear": (replace(SAVED, key_id=None), Account(b"\0\0\0\2", -1, 0), ""),
    "read, nothing written": (READ, Account(b"\0\0\0\1", 0, -1), ""),
    "read, something written": (READ, Account(b"\0\0\0\2", 0, -1), "mounted for reading"),
    "read, reference not told": (READ, Account(b"", 0, -1), ""),
    "read, no reference from before": (replace(READ, change_reference=b""), Account(b"\0\0\0\2"), ""),
}


@pytest.mark.parametrize(("mount", "told", "why"), CASES.values(), ids=CASES)
def test_account_is_held_against_the_purpose_of_the_mount(mount: Mount, told: Account, why: str) -> None:
    found = contradiction(mount, told)
    assert why in found
    assert bool(found) is bool(why)


def test_mount_that_nobody_accounted_is_accounted_at_the_next_load(tmp_path: Path) -> None:
    with rig(tmp_path) as agent:
        agent.save()
        agent.write()
        agent.eject()
        agent.insert(tmp_path / "cartridge")
        agent.save()
        (line,) = [line for line in agent.audit() if line.event == "mount accounted"]
        assert line.facts["generation"] == 1
        assert line.facts["first_encrypted"] == 0


def test_cartridge_that_was_taken_out_unaccounted_is_said_so(tmp_path: Path) -> None:
    with rig(tmp_path) as agent:
        agent.save()
        agent.eject()
        agent.insert(agent.cartridge("other", "ENC002L6"))
        agent.save()
        (line,) = [line for line in agent.audit() if line.event == "mount accounted"]
        assert line.facts["remarks"] == TAKEN_OUT


def test_clear_write_past_the_guard_is_found_at_the_next_load(tmp_path: Path) -> None:
    with rig(tmp_path) as agent:
        agent.save()
        agent.write()
        tampering.append_clear(agent)
        agent.eject()
        agent.insert(tmp_path / "cartridge")
        agent.restore()
        assert "contradicted by the drive's account" in [line.event for line in agent.alarms()]


def test_an_account_in_between_leaves_the_books_open(tmp_path: Path) -> None:
    with rig(tmp_path) as agent:
        mount = agent.save().mount
        assert mount is not None
        agent.write()
        told = account.interim(agent.settled, agent.manager, mount)
        assert told.first_encrypted == 0
        current = agent.manager.current(agent.serial)
        assert current is not None
        assert not current.accounted
        assert [line.event for line in agent.audit()].count("interim account") == 1


def test_a_cartridge_that_went_without_an_account_stays_unaccounted_until_its_next_load(tmp_path: Path) -> None:
    with rig(tmp_path) as agent:
        mount = agent.save().mount
        assert mount is not None
        agent.write()
        agent.eject()
        assert not account.after_eject(agent.manager, mount)
        agent.insert(tmp_path / "cartridge")
        agent.save()
        assert "unaccounted" in [line.event for line in agent.audit()]
        assert "mount accounted" in [line.event for line in agent.audit()]


def test_a_cartridge_whose_account_was_taken_went_in_order(tmp_path: Path) -> None:
    with rig(tmp_path) as agent:
        mount = agent.save().mount
        assert mount is not None
        agent.unload()
        assert account.after_eject(agent.manager, mount)

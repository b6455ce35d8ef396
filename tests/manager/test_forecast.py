"""What `require` would refuse, told from the store alone; what the store knows better by now is taken from it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tapekey.keys import identity
from tapekey.keys.identity import Kind
from tapekey.keystore import drives, recipients
from tapekey.manager.forecast import CartridgeForecast, DriveForecast, forecast
from tapekey.mount.survey import survey
from tapekey.policy.facts import Stance
from tests.mount import rivals
from tests.rig import PLAIN, Rig, rig


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[Rig]:
    with rig(tmp_path, "hpe-lto6", stance=Stance.OBSERVE) as built:
        yield built


def seen(agent: Rig, **options: object) -> None:
    agent.clock.move(1)
    survey(agent.host, agent.manager, agent.options(**options))


def only(agent: Rig) -> tuple[DriveForecast, CartridgeForecast]:
    found = forecast(agent.manager.store)
    (drive,), (cartridge,) = found.drives, found.cartridges
    return drive, cartridge


def whys(drive: DriveForecast) -> list[str]:
    return [one.why for one in drive.remarks]


def test_blank_cartridge_would_be_served_in_a_drive_that_is_not_guarded(agent: Rig) -> None:
    seen(agent)
    drive, cartridge = only(agent)
    assert not drive.refused
    assert whys(drive) == ["it has no guard of its own", "its guards were never tried out"]
    assert (cartridge.refused, cartridge.number, cartridge.left_out) == (False, 20, ())


def test_clear_cartridge_would_be_refused_until_it_is_declared_scratch(agent: Rig) -> None:
    agent.write(PLAIN * 50)
    seen(agent)
    _, cartridge = only(agent)
    assert (cartridge.refused, cartridge.number) == (True, 19)
    agent.scratch(cartridge.serial)
    _, cartridge = only(agent)
    assert (cartridge.refused, cartridge.number) == (False, 20)


def test_newest_sight_of_a_cartridge_counts(agent: Rig) -> None:
    seen(agent)
    agent.write(PLAIN * 50)
    seen(agent)
    assert only(agent)[1].refused


def test_drive_whose_approval_was_taken_back_would_refuse(agent: Rig) -> None:
    seen(agent)
    with agent.manager.store.writing() as transaction:
        drives.forget(transaction, agent.serial)
    drive, cartridge = only(agent)
    assert (drive.refused, whys(drive)) == (True, ["it is not approved"])
    assert (cartridge.refused, cartridge.number) == (True, 3)


def test_drive_that_nobody_approved_is_in_the_report(tmp_path: Path) -> None:
    with rig(tmp_path, approved=False) as agent:
        seen(agent)
        found = forecast(agent.manager.store)
        assert [(one.refused, whys(one)) for one in found.drives] == [(True, ["it is not approved"])]
        assert found.cartridges == ()


def test_approved_drive_that_was_never_looked_at_is_in_the_report(agent: Rig) -> None:
    (drive,) = forecast(agent.manager.store).drives
    assert whys(drive) == ["it was not looked at yet"]


def test_foreign_owner_is_an_alarm_with_a_name(agent: Rig) -> None:
    rivals.sends(agent, rivals.FRAMES["LTFS"])
    seen(agent)
    _, cartridge = only(agent)
    assert (cartridge.refused, cartridge.alarm, cartridge.number) == (True, True, 6)
    assert cartridge.owner.startswith("probably LTFS")


def test_cartridge_without_a_label_is_told(tmp_path: Path) -> None:
    with rig(tmp_path, volser="", stance=Stance.OBSERVE) as agent:
        seen(agent)
        assert only(agent)[1].remarks[0].startswith("no label is known")


def test_label_that_no_rule_names_is_told(tmp_path: Path) -> None:
    with rig(tmp_path, volser="XYZ001L6", stance=Stance.OBSERVE) as agent:
        seen(agent)
        assert "no rule but the default names it" in only(agent)[1].remarks


def test_recipients_without_room_are_named(tmp_path: Path) -> None:
    """The small chip of an LTO-4, and stanzas of 145 bytes."""
    names = tuple(f"person-{number}" for number in range(9))
    with rig(tmp_path, "ibm-lto4", stance=Stance.ALLOW, names=("site",)) as agent:
        with agent.manager.store.writing() as transaction:
            for name in names:
                recipients.add(transaction, name, identity.generate(Kind.P384).recipient)
        agent.rule(Stance.ALLOW, "ENC*", *names)
        seen(agent)
        left = only(agent)[1].left_out
    assert left
    assert left == names[-len(left) :]


def test_report_changes_nothing(agent: Rig) -> None:
    seen(agent)
    before = len(agent.audit())
    forecast(agent.manager.store)
    assert len(agent.audit()) == before

"""What is remembered of initiators, and that it is bounded (reference 5.2)."""

from tapekey.target.nexus import REMEMBERED, Nexuses
from tapekey.target.unit_attention import Attention


def test_new_nexus_is_told_of_the_power_and_one_that_came_back_of_its_loss() -> None:
    nexuses = Nexuses()
    assert nexuses.get("a").take_attention() is Attention.POWER_ON
    assert nexuses.get("a").take_attention() is None

    nexuses.lose("a")

    assert nexuses.find("a") is None
    assert nexuses.get("a").take_attention() is Attention.NEXUS_LOSS


def test_thousands_of_initiators_leave_a_bounded_memory() -> None:
    nexuses = Nexuses()
    for number in range(5 * REMEMBERED):
        nexuses.get(f"iqn.example:{number}")
        nexuses.lose(f"iqn.example:{number}")

    assert nexuses.all() == []
    assert len(nexuses._lost) == REMEMBERED
    assert nexuses.get("iqn.example:0").take_attention() is Attention.POWER_ON
    assert nexuses.get(f"iqn.example:{5 * REMEMBERED - 1}").take_attention() is Attention.NEXUS_LOSS


def test_flags_that_stand_are_seen_by_who_comes_later() -> None:
    nexuses = Nexuses()
    early = nexuses.get("early")
    nexuses.raise_alert(0x03)
    early.tape_alerts.clear()

    assert nexuses.get("late").tape_alerts == {0x03}
    nexuses.clear_alert(0x03)
    assert nexuses.get("later").tape_alerts == set()
    assert nexuses.alerts == frozenset()

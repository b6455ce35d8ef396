"""A drive that knows no encryption says so, and that alone is "no encryption"."""

import itertools

import pytest

from tapekey.drive import abilities, identity
from tapekey.drive.abilities import Abilities, Management
from tapekey.errors import OpcodeUnknown
from tapekey.policy import facts as policy
from tapekey.policy.decide import decide
from tapekey.policy.decision import MakeKey, Protect, ReadKey, Refuse, UseKey
from tapekey.policy.facts import (
    CartridgeFacts,
    CartridgeKind,
    Contents,
    DriveFacts,
    Facts,
    Guard,
    Intent,
    KeyFacts,
    KeyState,
    Match,
    Parameters,
    Rule,
    Stance,
    Subject,
)
from tapekey.scsi import encryption
from tapekey.scsi.encryption import InPage
from tapekey.scsi.run import run
from tests.kernel.cases import simulated

# The module's NAA is this, locally assigned, and a number; its serial number is that number as text, cut off.
NAA_3 = 0x3333333000000000
SERIAL_SIZE = 5


def test_simulated_drive_is_identified_by_what_it_says() -> None:
    (node,) = simulated.load()
    with simulated.opened(node) as (device,):
        who = identity.identify(device)
    assert (who.vendor, who.product, who.virtual) == ("Linux", "scsi_debug", None)
    assert who.serial == str(int.from_bytes(who.naa, "big") - NAA_3)[:SERIAL_SIZE]


def test_refusal_of_the_command_reaches_us_as_the_drive_sent_it() -> None:
    (node,) = simulated.load()
    with simulated.opened(node) as (device,), pytest.raises(OpcodeUnknown) as refusal:
        run(device, encryption.read_page(InPage.CAPABILITIES))
    assert refusal.value.code == "5/20/00"


def test_descriptor_sense_says_the_same() -> None:
    (node,) = simulated.load(dsense=1)
    with simulated.opened(node) as (device,):
        reply = device.execute(encryption.read_page(InPage.CAPABILITIES))
        found = abilities.abilities(device)
    assert reply.sense[0] == 0x72
    assert found.management is Management.NONE
    assert "5/20/00" in found.why


def test_drive_is_judged_to_have_no_encryption() -> None:
    (node,) = simulated.load()
    with simulated.opened(node) as (device,):
        found = abilities.abilities(device)
    assert found.management is Management.NONE
    assert "5/20/00" in found.why
    assert not found.write_guard


def test_no_rule_gives_it_a_key() -> None:
    (node,) = simulated.load()
    with simulated.opened(node) as (device,):
        found = abilities.abilities(device)
    for stance, intent in itertools.product(Stance, Intent):
        decision = decide(facts(stance, intent, found))
        assert not isinstance(decision, MakeKey | UseKey | ReadKey)
        assert stance is not Stance.REQUIRE or isinstance(decision, Refuse | Protect)


def facts(stance: Stance, intent: Intent, found: Abilities) -> Facts:
    """An approved drive of these abilities with a cartridge of ours in it, whose key is at hand."""
    guards = frozenset({Guard.DRIVE} if found.write_guard else {Guard.HOOK})
    drive = DriveFacts(
        approved=True,
        hands_off=False,
        virtual=False,
        virtual_allowed=False,
        management=policy.Management(found.management.value),
        parameters=Parameters.NONE,
        guards=guards,
    )
    cartridge = CartridgeFacts(CartridgeKind.DATA, False, Contents.ENCRYPTED, votes_agree=True)
    key = KeyFacts(KeyState.ACTIVE, Match.CURRENT, Match.CURRENT)
    return Facts(intent, Rule(Subject.DEFAULT, "", stance), drive, cartridge, key)

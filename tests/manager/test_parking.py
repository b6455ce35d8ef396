"""Keys for empty drives: safe before they leave, one to a drive, and a cartridge's once one has them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tapekey.errors import Conflict, KeyUnavailable, NotSafe
from tapekey.keys import brief, commitment, identity
from tapekey.keys.brief import KadRoom
from tapekey.keys.identity import Kind
from tapekey.keystore import cartridges, data_keys, parked_keys, recipients
from tapekey.keystore.check import check
from tapekey.keystore.records import KeyRecord, ParkedRecord, ParkedState, State
from tapekey.manager.questions import Evidence, Parked, Request
from tapekey.policy.facts import Carry, KeyState, Match, Rule, Stance, Subject
from tests.rig import OFFLINE, PARTNER, Rig, rig

ROOM = KadRoom(60, 32)
SERIAL = "MEDIUM0001"


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[Rig]:
    with rig(tmp_path, inserted=False) as built:
        yield built


def rule(*names: str, **more: Any) -> Rule:
    return Rule(Subject.DEFAULT, "", Stance.REQUIRE, names or ("site", PARTNER), **more)


def park(agent: Rig, of: Rule | None = None, room: KadRoom = ROOM) -> Parked:
    found, material = agent.manager.park(agent.serial, of or rule(), room, None)
    assert material.key_id == found.key_id
    return found


def request(parked: Parked | None, of: Rule | None = None) -> Request:
    return Request(SERIAL, "ENC001L6", of or rule(), 1000, ROOM, parked=parked.key_id if parked else None)


def states(agent: Rig) -> list[ParkedState]:
    with agent.manager.store.reading() as transaction:
        return [record.state for record in transaction.every(ParkedRecord)]


def test_envelope_beside_its_blocks_opens_for_somebody_outside(agent: Rig) -> None:
    parked = park(agent)
    opened = brief.open_brief(brief.read_brief(parked.kad), agent.people[OFFLINE], parked.key_id)
    with agent.manager.store.reading() as transaction:
        kept = parked_keys.open_key(transaction, parked_keys.find(transaction, parked.key_id))
        assert kept.id == opened.id
        record = parked_keys.find(transaction, parked.key_id)
        assert commitment.check_value(opened) == record.kcv


def test_a_key_that_nobody_had_is_given_again(agent: Rig) -> None:
    assert park(agent).key_id == park(agent).key_id
    assert states(agent) == [ParkedState.WAITING]


def test_another_recipient_gets_another_key_and_the_first_is_kept(agent: Rig, tmp_path: Path) -> None:
    first = park(agent)
    second = park(agent, room=KadRoom(0, 92))
    assert second.key_id == first.key_id  # the same recipient, laid out differently
    with agent.manager.store.writing() as transaction:
        recovery = recipients.get(transaction, "recovery")
        transaction.remove(recovery)
        recipients.add(transaction, "recovery", identity.generate(Kind.X25519).recipient, role=recovery.role)
    third = park(agent)
    assert third.key_id != first.key_id
    assert sorted(each.value for each in states(agent)) == ["dropped", "waiting"]
    assert agent.manager.parked_under(first.kad) is not None


@pytest.mark.parametrize(
    ("of", "room", "why"),
    [
        (rule(), KadRoom(12, 32), "44 bytes"),
        (rule(), KadRoom(0, 0), "no key-associated data"),
    ],
)
def test_what_is_not_safe_is_not_parked(of: Rule, room: KadRoom, why: str, agent: Rig) -> None:
    assert why in agent.manager.why_not_parked(of, room)
    with pytest.raises(NotSafe):
        park(agent, of, room)
    assert states(agent) == []


def test_a_hybrid_recipient_forbids_the_classical_copy(agent: Rig) -> None:
    with agent.manager.store.writing() as transaction:
        recipients.add(transaction, "later", identity.generate(Kind.MLKEM768_X25519).recipient)
    assert "hybrid" in agent.manager.why_not_parked(rule("later"), ROOM)


def test_it_becomes_a_cartridges_in_one_transaction(agent: Rig) -> None:
    parked = park(agent)
    prepared = agent.manager.prepare(request(parked))
    assert prepared.key_id == parked.key_id
    assert states(agent) == [ParkedState.BOUND]
    with agent.manager.store.reading() as transaction:
        record = data_keys.find(transaction, parked.key_id)
        cartridge = cartridges.get(transaction, SERIAL)
        assert (record.state, record.medium_serial) == (State.ACTIVE, SERIAL)
        assert cartridge is not None
        assert cartridge.current_key == parked.key_id
        with pytest.raises(KeyUnavailable):
            parked_keys.open_key(transaction, parked_keys.find(transaction, parked.key_id))
    for kad in (parked.kad, prepared.kad):
        assert agent.manager.known(Evidence(SERIAL, kad=kad)).facts.kad is Match.CURRENT
    check(agent.manager.store)


def test_two_cartridges_never_get_the_same_key(agent: Rig) -> None:
    parked = park(agent)
    first = agent.manager.prepare(request(parked))
    second = agent.manager.prepare(Request("MEDIUM0002", "", rule(), 1000, ROOM, parked=parked.key_id))
    assert first.key_id != second.key_id


def test_it_supersedes_the_key_that_a_scratch_cartridge_had(agent: Rig) -> None:
    old = agent.manager.prepare(request(None))
    agent.manager.release(old.key_id, medium_serial=SERIAL, drive=agent.serial, witnessed=old.envelope, wrap=None)
    parked = park(agent)
    assert agent.manager.prepare(request(parked)).key_id == parked.key_id
    with agent.manager.store.reading() as transaction:
        assert data_keys.find(transaction, old.key_id).state is State.DEACTIVATED


def test_a_rule_that_carries_no_key_takes_no_parked_one(agent: Rig) -> None:
    parked = park(agent)
    assert agent.manager.prepare(request(parked, rule(carry=Carry.ID))).key_id != parked.key_id
    assert states(agent) == [ParkedState.WAITING]


def test_a_key_that_was_found_on_a_tape_is_issued_an_envelope_once(agent: Rig) -> None:
    parked = park(agent)
    agent.manager.written_under_parked(parked, SERIAL, "ENC001L6", proved=True)
    known = agent.manager.known(Evidence(SERIAL, kad=parked.kad))
    assert (known.key_id, known.facts.state, known.facts.kad) == (parked.key_id, KeyState.ACTIVE, Match.CURRENT)
    prepared = agent.manager.reissue(parked.key_id, request(None))
    assert agent.manager.prepared(parked.key_id) == prepared
    agent.manager.written_under_parked(parked, SERIAL, "ENC001L6", proved=True)  # a second sight changes nothing
    with agent.manager.store.reading() as transaction:
        assert len(transaction.every(KeyRecord)) == 1


def test_what_was_changed_since_the_decision_is_not_issued(agent: Rig) -> None:
    parked = park(agent)
    decided_on = agent.manager.known(Evidence(SERIAL))
    agent.manager.written_under_parked(parked, SERIAL, "", proved=True)
    with pytest.raises(Conflict):
        agent.manager.reissue(parked.key_id, Request(SERIAL, "", rule(), 1000, ROOM, decided_on=decided_on))

"""Cartridges given free by their barcodes: all that are named, or none."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tapekey.errors import Conflict, NotFound, Refused
from tapekey.keystore import cartridges
from tapekey.manager.reuse import reuse
from tapekey.mount.survey import survey
from tapekey.policy.facts import Stance
from tests.rig import PLAIN, VOLSER, Rig, rig


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[Rig]:
    with rig(tmp_path) as built:
        yield built


def free(agent: Rig, *volsers: str, expired: bool = True) -> tuple[str, ...]:
    return reuse(agent.manager.store, volsers, by="a script", expired=expired)


def scratch(agent: Rig) -> list[str]:
    with agent.manager.store.reading() as transaction:
        return [one.medium_serial for one in cartridges.every(transaction) if one.scratch]


def written(agent: Rig) -> str:
    serial = agent.save().cartridge
    agent.write()
    agent.unload()
    return serial


def test_expired_cartridge_gets_a_new_key_at_its_next_save(agent: Rig) -> None:
    serial = written(agent)
    assert free(agent, VOLSER) == (serial,)
    assert scratch(agent) == [serial]
    before = agent.manager.current(agent.serial)
    agent.reload()
    after = agent.save()
    assert before is not None
    assert after.key_id not in (None, before.key_id)
    assert scratch(agent) == []


def test_cartridge_with_data_needs_the_word_that_they_expired(agent: Rig) -> None:
    written(agent)
    with pytest.raises(Refused, match="it holds data under key"):
        free(agent, VOLSER, expired=False)
    assert scratch(agent) == []


def test_cartridge_that_is_in_use_is_never_given_free(agent: Rig) -> None:
    agent.save()
    with pytest.raises(Conflict, match="is in use"):
        free(agent, VOLSER)
    assert scratch(agent) == []


def test_one_that_is_not_known_keeps_all_as_they_are(agent: Rig) -> None:
    written(agent)
    with pytest.raises(NotFound, match="ENC009L6 was ever seen"):
        free(agent, VOLSER, "ENC009L6")
    assert scratch(agent) == []


def test_label_that_two_cartridges_had_names_none(agent: Rig) -> None:
    written(agent)
    agent.eject()
    agent.insert(agent.cartridge("second"))
    written(agent)
    with pytest.raises(Conflict, match="several cartridges"):
        free(agent, VOLSER)


@pytest.mark.parametrize("expired", [False, True])
def test_cartridge_that_was_only_seen_is_known_by_its_label(agent: Rig, expired: bool) -> None:
    agent.rule(Stance.OBSERVE)
    agent.write(PLAIN * 50)
    survey(agent.host, agent.manager, agent.options())
    if expired:
        assert scratch(agent) == [] != list(free(agent, VOLSER.lower()))
        assert len(scratch(agent)) == 1
    else:
        with pytest.raises(Refused, match="seen with data"):
            free(agent, VOLSER, expired=False)


def test_blank_cartridge_that_was_only_seen_is_given_free_without_a_word(agent: Rig) -> None:
    agent.rule(Stance.OBSERVE)
    survey(agent.host, agent.manager, agent.options())
    assert len(free(agent, VOLSER, expired=False)) == 1


def test_label_named_twice_is_one_cartridge(agent: Rig) -> None:
    serial = written(agent)
    assert free(agent, VOLSER, VOLSER) == (serial,)

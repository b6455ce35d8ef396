"""Faults of the keystore and of the manager that answers from it."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from tapekey.errors import StoreFailed
from tapekey.keystore import audit, cartridges, data_keys, database
from tapekey.keystore.records import Issue
from tapekey.keystore.rows import Transaction
from tapekey.keystore.store import Store
from tapekey.manager import drive_wrap, reading, recognise, release
from tapekey.manager.questions import KeyMaterial, WrapTarget
from tapekey.policy.facts import Match
from tapekey.secret import Secret
from tests.faults.fault import Fault, other, replaced, skipped

_STORE = "tests/keystore/test_store.py::"
_RELEASE = "tests/manager/test_release.py::"


def _before_commit(shipped: Callable[..., KeyMaterial], keystore: Store, key_id: Any, **asked: Any) -> KeyMaterial:
    with keystore.reading() as transaction:
        early = data_keys.open_key(transaction, data_keys.find(transaction, key_id))
    try:
        return shipped(keystore, key_id, **asked)
    except StoreFailed:
        return KeyMaterial(key_id, plain=early.secret)


def _if_any_issue(_: object, transaction: Transaction, record: Any, witnessed: bytes) -> None:
    found = data_keys.issues_for_medium(transaction, record.medium_serial)
    assert hashlib.sha256(witnessed).digest() in {one.hash for one in found}


def _line_later(patch: pytest.MonkeyPatch) -> None:
    note, writing = Transaction.note, Store.writing

    @contextmanager
    def apart(store: Store) -> Iterator[Transaction]:
        lines: list[tuple[Any, Any]] = []
        with writing(store) as transaction:
            patch.setattr(Transaction, "note", lambda _, *args, **facts: lines.append((args, facts)))
            yield transaction
            patch.setattr(Transaction, "note", note)
        with writing(store) as transaction:
            for args, facts in lines:
                transaction.note(*args, **facts)

    patch.setattr(Store, "writing", apart)


def _older_is_current(shipped: Callable[..., Match], *found: Any) -> Match:
    match = shipped(*found)
    return Match.CURRENT if match is Match.OLDER else match


def _for_any_key(_: object, __: object, secret: Secret, ___: str, target: WrapTarget) -> bytes:
    label = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), target.label)
    return drive_wrap._public_key("", target).encrypt(bytes(secret.reveal()), label)


def _in_clear(_: object, __: object, key: Any, ___: str, ____: object) -> KeyMaterial:
    return KeyMaterial(key.id, plain=key.secret)


def _beside_the_others(_: object, transaction: Transaction, new: Issue) -> None:
    transaction.insert(new)
    if new.kad:
        data_keys.index(transaction, new.kad, new.key_id, new.medium_serial)


def _as_far_as_it_goes(shipped: Callable[..., int], lines: Any, _: int, __: bytes) -> int:
    kept = list(lines)
    last = audit.hash_of(kept[-1][1]) if kept else audit.START
    return shipped(iter(kept), len(kept), last)


_UNSYNCED = tuple(("synchronous", "OFF", 0) if row[0] == "synchronous" else row for row in database.PRAGMAS)

FAULTS: Final = {
    "key released before commit": Fault(
        replaced(release, "release", _before_commit),
        f"{_RELEASE}test_a_commit_that_fails_hands_out_nothing",
        "the key leaves although its release never became durable",
    ),
    "key that is not safe is served": Fault(
        skipped(release, "_demand_safe"),
        f"{_RELEASE}test_it_is_not_safe_before_its_envelope_was_read_back",
        "a key that exists once only is used for writing",
    ),
    "stale envelope accepted at release": Fault(
        replaced(release, "_demand_safe", _if_any_issue),
        f"{_RELEASE}test_a_replayed_envelope_releases_nothing",
        "a superseded envelope on the cartridge counts as the one on record",
    ),
    "stale envelope taken for the current one": Fault(
        replaced(recognise, "_match_envelope", _older_is_current),
        "tests/mount/test_outcome.py::test_planted_envelope_is_never_written_under_and_alarms[ibm-lto6-replayed]",
        "an envelope of an earlier load is written under",
    ),
    "audit line apart from its change": Fault(
        _line_later,
        f"{_STORE}test_a_change_and_its_line_are_one_commit",
        "a change can become durable without its audit line",
    ),
    "cut audit chain not noticed": Fault(
        replaced(audit, "check", _as_far_as_it_goes),
        "tests/keystore/test_audit.py::test_a_cut_tail_is_named[0]",
        "the newest audit lines can be taken away",
    ),
    "rows not authenticated": Fault(
        skipped(Transaction, "_authentic", instead=True),
        f"{_RELEASE}test_a_record_that_was_changed_releases_nothing[state]",
        "a row that was changed behind the keystore's back is believed",
    ),
    "missing row not noticed": Fault(
        replaced(Transaction, "every", lambda _, transaction, kind: transaction.some(kind)),
        "tests/keystore/test_rows.py::test_a_rule_taken_away_is_found_when_the_rules_are_read",
        "a rule can be deleted behind the keystore's back",
    ),
    "commits are not durable": Fault(
        other(database, "PRAGMAS", _UNSYNCED),
        "tests/keystore/test_database.py::test_the_settings_are_sqlites_for_surviving_a_power_loss",
        "what was acknowledged is lost with the power",
    ),
    "pinned public key not compared": Fault(
        replaced(drive_wrap, "wrap_for", _for_any_key),
        "tests/manager/test_drive_wrap.py::test_anything_else_is_an_alarm_and_gets_no_key[another key]",
        "a key is wrapped for whatever public key is shown",
    ),
    "clear key to a drive with a pinned key": Fault(
        replaced(drive_wrap, "material_for", _in_clear),
        "tests/manager/test_drive_wrap.py::test_a_drive_with_a_pinned_key_gets_nothing_in_clear",
        "what answers without a public key gets the key in clear",
    ),
    "destroyed key is found all the same": Fault(
        skipped(reading, "_may_read", instead=False),
        "tests/manager/test_reading.py::test_a_destroyed_key_is_refused_though_its_envelope_could_be_opened",
        "a destroyed key comes back by way of its envelope",
    ),
    "scratch flag not cleared after a save": Fault(
        skipped(cartridges, "keyed"),
        "tests/manager/test_local.py::test_a_scratch_word_is_used_up_by_an_installation_for_writing",
        "a cartridge gets a new key over its data at every save",
    ),
    "superseded envelope stays current": Fault(
        replaced(data_keys, "issue", _beside_the_others),
        "tests/manager/test_prepare.py::test_a_new_key_takes_the_place_of_an_active_one",
        "the envelopes before a new one are not marked as superseded",
    ),
}

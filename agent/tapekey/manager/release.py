"""Hand out a key for writing: only to its own cartridge, only once it is safe, and never before that is on record."""

import hashlib

from tapekey.errors import NotSafe, Refused
from tapekey.keys.data_key import KeyId
from tapekey.keystore import cartridges, data_keys, store
from tapekey.keystore.birth import UNSAFE_SINGLE_COPY
from tapekey.keystore.records import Issue, KeyRecord, State
from tapekey.keystore.rows import Transaction
from tapekey.keystore.store import Store
from tapekey.manager import drive_wrap
from tapekey.manager.questions import KeyMaterial, WrapTarget


def release(
    keystore: Store, key_id: KeyId, *, medium_serial: str, drive: str, witnessed: bytes, wrap: WrapTarget | None
) -> KeyMaterial:
    """The key, once its release is durable. A refusal leaves an audit line too."""
    try:
        with keystore.writing() as transaction:
            record = _demand_its_key(transaction, key_id, medium_serial)
            _demand_safe(transaction, record, witnessed)
            key = data_keys.open_key(transaction, record)
            material = drive_wrap.material_for(transaction, key, drive, wrap)
            if record.state is State.PRE_ACTIVE:
                data_keys.move(transaction, key_id, State.ACTIVE)
            form = "clear" if material.wrapped is None else "wrapped"
            transaction.note("key released", key=str(key_id), cartridge=medium_serial, drive=drive, form=form)
        return material
    except (Refused, NotSafe) as error:
        alarm = isinstance(error, Refused) and error.alarm
        facts = {"key": str(key_id), "cartridge": medium_serial, "drive": drive, "why": error.why}
        keystore.note("release refused", alarm=alarm, **facts)
        raise
    except drive_wrap.KeyNotPinned as error:
        keystore.note("drive not as pinned", alarm=True, key=str(key_id), drive=drive, why=error.why)
        raise


def _demand_its_key(transaction: Transaction, key_id: KeyId, medium_serial: str) -> KeyRecord:
    what = f"key {key_id} is not released for writing"
    record = data_keys.get(transaction, key_id)
    if record is None:
        raise Refused(what, why="it is not on record", alarm=True)
    if record.medium_serial != medium_serial:
        raise Refused(what, why=f"it belongs to cartridge {record.medium_serial}, not {medium_serial}", alarm=True)
    if record.state not in (State.PRE_ACTIVE, State.ACTIVE):
        raise Refused(what, why=f"it is {record.state.value}", mend="it can still be used for reading")
    cartridge = cartridges.get(transaction, medium_serial)
    if cartridge is None or cartridge.current_key != key_id:
        raise Refused(what, why=f"cartridge {medium_serial} has another key now", alarm=True)
    return record


def _demand_safe(transaction: Transaction, record: KeyRecord, witnessed: bytes) -> None:
    """Safe: on record elsewhere, or read back from the cartridge for someone whose private half is elsewhere."""
    issue = data_keys.current_issue(transaction, record.id)
    if witnessed and (issue is None or hashlib.sha256(witnessed).digest() != issue.hash):
        raise Refused(
            f"key {record.id} is not released for writing",
            why="the envelope on the cartridge is not the one on record",
            alarm=True,
        )
    if data_keys.proofs(transaction, record.id) or (witnessed and issue is not None and issue.outside):
        return
    if store.setting(transaction, UNSAFE_SINGLE_COPY) == "on":
        return
    raise NotSafe(
        f"key {record.id} is not released for writing",
        why=_why_unsafe(issue, witnessed),
        mend="use a cartridge memory that takes the envelope of an offline recipient, or accept single copies: "
        "tapekey keystore single-copy accept",
    )


def _why_unsafe(issue: Issue | None, witnessed: bytes) -> str:
    if not witnessed:
        return "no envelope was read back from the cartridge, so this keystore would have the only copy"
    if issue is not None and not issue.outside:
        return "everyone whom the envelope is for keeps the private key in this keystore"
    return "this keystore would have the only copy"

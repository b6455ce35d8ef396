"""What a keystore says of itself, without a secret."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from tapekey.errors import StoreDamaged
from tapekey.keystore import cartridges, drives, recipients, rules, store
from tapekey.keystore.birth import UNSAFE_SINGLE_COPY
from tapekey.keystore.records import Head, KeyRecord, Role, State, StoreRecord
from tapekey.keystore.store import Store


@dataclass(frozen=True, slots=True)
class Status:
    """`recovery` is the offline recovery recipient's name, or empty."""

    version: int
    store_id: str
    manager_id: str
    created: str
    slots: tuple[tuple[int, str, str], ...]
    recovery: str
    unsafe_single_copy: bool
    recipients: int
    rules: int
    drives: int
    cartridges: int
    keys: Mapping[State, int]
    audit_lines: int


def status(keystore: Store) -> Status:
    """Count what is there."""
    slots = tuple(store.slot_kinds(keystore))
    with keystore.reading() as transaction:
        record = transaction.one(StoreRecord, id=1)
        head = transaction.one(Head, name="audit")
        if record is None or head is None:
            raise StoreDamaged("the keystore has no store record", mend="restore it from a backup")
        recovery = recipients.with_role(transaction, Role.RECOVERY)
        return Status(
            version=record.version,
            store_id=record.store_id.hex(),
            manager_id=record.manager_id.hex(),
            created=record.created,
            slots=slots,
            recovery=recovery.name if recovery else "",
            unsafe_single_copy=store.setting(transaction, UNSAFE_SINGLE_COPY) == "on",
            recipients=len(recipients.every(transaction)),
            rules=len(rules.listed(transaction)),
            drives=len(drives.every(transaction)),
            cartridges=len(cartridges.every(transaction)),
            keys=_in_order(Counter(key.state for key in transaction.every(KeyRecord))),
            audit_lines=head.count,
        )


def _in_order(counts: Mapping[State, int]) -> dict[State, int]:
    return {state: counts[state] for state in State if state in counts}

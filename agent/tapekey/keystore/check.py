"""Verify a whole keystore: the file's structure, every row, every set of rows, every sealed secret, the audit chain."""

from collections.abc import Mapping

from tapekey.keys import signature
from tapekey.keystore import data_keys, database, parked_keys, recipients, store
from tapekey.keystore.birth import SIGNING_KEY
from tapekey.keystore.records import KeyRecord, ParkedRecord, ParkedState, State
from tapekey.keystore.rows import TABLES, WITHOUT_SET, Transaction
from tapekey.keystore.store import Store


def check(keystore: Store) -> Mapping[str, int]:
    """How many rows each table has; StoreDamaged names the first that does not verify."""
    with keystore.reading() as transaction:
        database.demand_sound(transaction.connection)
        transaction.confirm_heads()
        counts = {
            table.name: len(transaction.some(kind) if table.name in WITHOUT_SET else transaction.every(kind))
            for kind, table in TABLES.items()
        }
        _open_everything(transaction)
    return counts | {"audit": store.verify_audit(keystore)}


def _open_everything(transaction: Transaction) -> None:
    signature.of_seed(store.kept_secret(transaction, SIGNING_KEY)).seed.wipe()
    for identity in recipients.identities(transaction):
        identity.secret.wipe()
    for record in transaction.every(KeyRecord):
        if record.state is not State.DESTROYED:
            data_keys.open_key(transaction, record).secret.wipe()
    for parked in transaction.every(ParkedRecord):
        if parked.state is not ParkedState.BOUND:
            parked_keys.open_key(transaction, parked).secret.wipe()

"""Make a data key for a cartridge and commit it with its envelope, or take up one that was never released."""

from tapekey.errors import Conflict
from tapekey.keys.data_key import DataKey, KeyId, new_data_key
from tapekey.keystore import cartridges, data_keys
from tapekey.keystore.records import Issue, KeyRecord, Origin, State
from tapekey.keystore.rows import Transaction
from tapekey.keystore.store import Store
from tapekey.manager import issuing, parking, recognise
from tapekey.manager.questions import Evidence, Prepared, Request


def prepare(keystore: Store, request: Request) -> Prepared:
    """Key, envelope, cartridge and audit line in one transaction, durable when this returns.

    Conflict: somebody else has given the cartridge a key, or taken one, since it was decided that it gets this one.
    """
    with keystore.writing() as transaction:
        _demand_unchanged(transaction, request)
        waiting = _never_released(transaction, request.medium_serial)
        if waiting is None:
            issue = _make(transaction, keystore.manager_id, request)
        else:
            issue = _take_up(transaction, keystore.manager_id, request, waiting)
        return issuing.as_prepared(transaction, issue)


def _demand_unchanged(transaction: Transaction, request: Request) -> None:
    decided_on = request.decided_on
    if decided_on is None:
        return
    now = recognise.recognise(transaction, Evidence(request.medium_serial))
    if (now.key_id, now.facts.state) != (decided_on.key_id, decided_on.facts.state):
        raise Conflict(
            f"no key is made for cartridge {request.medium_serial}",
            why="another process has changed what is on record for it",
            mend="see that nobody else is at work on the drive, then try again",
        )


def _never_released(transaction: Transaction, medium_serial: str) -> KeyRecord | None:
    record = _current(transaction, medium_serial)
    return record if record is not None and record.state is State.PRE_ACTIVE else None


def _current(transaction: Transaction, medium_serial: str) -> KeyRecord | None:
    cartridge = cartridges.get(transaction, medium_serial)
    if cartridge is None or cartridge.current_key is None:
        return None
    return data_keys.find(transaction, cartridge.current_key)


def _make(transaction: Transaction, manager_id: bytes, request: Request) -> Issue:
    old = _current(transaction, request.medium_serial)
    issue = parking.bind(transaction, manager_id, request)
    if issue is not None:
        _supersede(transaction, old, issue.key_id)
        _note(transaction, "key prepared", request, issue, old.id if old else None)
        return issue
    key = new_data_key()
    _supersede(transaction, old, key.id)
    cartridges.seen(transaction, request.medium_serial, request.volser)
    data_keys.add(transaction, key, request.medium_serial, Origin.OWN, State.PRE_ACTIVE)
    issue = issuing.issue(transaction, manager_id, request, key)
    _note(transaction, "key prepared", request, issue, old.id if old else None)
    return issue


def reissue(keystore: Store, key_id: KeyId, request: Request) -> Prepared:
    """An envelope for the active key of a cartridge that has none yet: a key that was parked when it was written."""
    with keystore.writing() as transaction:
        _demand_unchanged(transaction, request)
        record = data_keys.find(transaction, key_id)
        with data_keys.open_key(transaction, record).secret as secret:
            issue = issuing.issue(transaction, keystore.manager_id, request, DataKey(record.id, secret))
        _note(transaction, "key sealed anew", request, issue, None)
        return issuing.as_prepared(transaction, issue)


def _supersede(transaction: Transaction, old: KeyRecord | None, by: KeyId) -> None:
    if old is not None and old.state is State.ACTIVE:
        data_keys.move(transaction, old.id, State.DEACTIVATED, why=f"superseded by {by}")


def _take_up(transaction: Transaction, manager_id: bytes, request: Request, record: KeyRecord) -> Issue:
    issue = data_keys.current_issue(transaction, record.id)
    if issue is not None and issue.shape == issuing.shape(transaction, request):
        issuing.demand_valid(transaction, request)
        return issue
    with data_keys.open_key(transaction, record).secret as secret:
        issue = issuing.issue(transaction, manager_id, request, DataKey(record.id, secret))
    _note(transaction, "key sealed anew", request, issue, None)
    return issue


def _note(transaction: Transaction, event: str, request: Request, issue: Issue, replaces: KeyId | None) -> None:
    transaction.note(
        event,
        key=str(issue.key_id),
        cartridge=request.medium_serial,
        volser=request.volser,
        sequence=issue.sequence,
        carried=", ".join(issue.carried),
        left_out=", ".join(issue.left_out),
        envelope=issue.hash.hex() if issue.envelope else None,
        replaces=str(replaces) if replaces else None,
    )

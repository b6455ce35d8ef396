"""Keys for empty drives: made and committed before a cartridge is known, and handed out only if they are safe so.

No cartridge memory can carry such a key's envelope yet. So it is safe only if the envelope beside every block under it
opens with a private key that is outside this store, or if single copies are accepted.
"""

from tapekey.errors import NotSafe
from tapekey.keys import brief
from tapekey.keys.brief import Form, KadRoom
from tapekey.keys.data_key import DataKey, new_data_key
from tapekey.keys.suite import Suite
from tapekey.keystore import cartridges, data_keys, parked_keys, recipients, store
from tapekey.keystore.birth import UNSAFE_SINGLE_COPY
from tapekey.keystore.records import Issue, Origin, ParkedRecord, ParkedState, RecipientRecord, Role, State
from tapekey.keystore.rows import Transaction
from tapekey.keystore.store import Store
from tapekey.manager import drive_wrap, issuing
from tapekey.manager.questions import KeyMaterial, Parked, Request, WrapTarget
from tapekey.policy.facts import Carry, Rule


def park(keystore: Store, drive: str, rule: Rule, room: KadRoom, wrap: WrapTarget | None) -> tuple[Parked, KeyMaterial]:
    """The drive's waiting key, or a new one; that it leaves the store is durable before it does."""
    try:
        with keystore.writing() as transaction:
            why = why_not(transaction, rule, room)
            if why:
                raise NotSafe(f"no key is parked in drive {drive}", why=why, mend=MEND)
            record = _waiting(transaction, drive, rule, room) or _make(transaction, drive, rule, room)
            material = drive_wrap.material_for(transaction, parked_keys.open_key(transaction, record), drive, wrap)
            parked_keys.stands(transaction, record, parked_keys.UNSEEN)
            form = "clear" if material.wrapped is None else "wrapped"
            transaction.note("parked key released", key=str(record.id), drive=drive, form=form)
        return as_parked(record, counter=None), material
    except drive_wrap.KeyNotPinned as error:
        keystore.note("drive not as pinned", alarm=True, drive=drive, why=error.why)
        raise


MEND = (
    "give the rule for the drive an X25519 recipient whose private key is kept elsewhere, or accept single copies: "
    "tapekey keystore single-copy accept"
)


def why_not(transaction: Transaction, rule: Rule, room: KadRoom) -> str:
    """Why a key parked under this rule would not be safe; empty: it would be."""
    if room.total < Form.ID_ONLY.value:
        return "the drive keeps no key-associated data, so nothing would tell under which key a block stands"
    if store.setting(transaction, UNSAFE_SINGLE_COPY) == "on":
        return ""
    if _hybrid(transaction, rule):
        return "its rule has a hybrid recipient, and no such envelope fits beside a block"
    if not _outside(transaction, rule):
        return "no recipient of its rule has an X25519 key whose private half is kept elsewhere"
    return (
        ""
        if room.total >= Form.X25519.value
        else f"the drive keeps {room.total} bytes beside a block, and 92 are needed"
    )


def bind(transaction: Transaction, manager_id: bytes, request: Request) -> Issue | None:
    """Make the parked key the cartridge's, in the caller's transaction; None: its rule wants another one."""
    if request.parked is None or not _suits(transaction, request):
        return None
    record = parked_keys.find(transaction, request.parked)
    if record.state is not ParkedState.WAITING:
        return None
    key = take_over(transaction, record, request.medium_serial, request.volser, State.ACTIVE)
    issue = issuing.issue(transaction, manager_id, request, key)
    transaction.note(
        "parked key became the cartridge's",
        key=str(key.id),
        drive=record.drive_serial,
        cartridge=request.medium_serial,
        sequence=issue.sequence,
    )
    return issue


def take_over(
    transaction: Transaction, record: ParkedRecord, medium_serial: str, volser: str, state: State, why: str = ""
) -> DataKey:
    """Move a parked key to a cartridge's data keys, and its key-associated data to the index."""
    key = parked_keys.open_key(transaction, record)
    cartridges.seen(transaction, medium_serial, volser)
    data_keys.add(transaction, key, medium_serial, Origin.OWN, State.ACTIVE)
    data_keys.index(transaction, record.kad, key.id, medium_serial)
    parked_keys.bind(transaction, record, medium_serial)
    if state is not State.ACTIVE:
        data_keys.move(transaction, key.id, state, why=why)
    return key


def written_under(transaction: Transaction, parked: Parked, medium_serial: str, volser: str, *, proved: bool) -> None:
    """Put a key on record for a cartridge that may have, or was seen to have, blocks under it.

    It becomes the cartridge's current key only where a block in its own drive proves it and there is no other.
    """
    record = parked_keys.find(transaction, parked.key_id)
    if record.state is ParkedState.BOUND:
        return
    cartridge = cartridges.get(transaction, medium_serial)
    current = proved and (cartridge is None or cartridge.current_key is None)
    state = State.ACTIVE if current else State.DEACTIVATED
    take_over(transaction, record, medium_serial, volser, state, "it was parked, and is not the cartridge's key")
    if current:
        known = cartridges.seen(transaction, medium_serial)
        cartridges.issued(transaction, known, record.id, known.sequence, required=False)
    transaction.note(
        "written under a parked key" if proved else "perhaps written under a parked key",
        alarm=True,
        key=str(record.id),
        drive=record.drive_serial,
        cartridge=medium_serial,
        volser=volser,
        current=int(current),
    )


def as_parked(record: ParkedRecord, counter: int | None) -> Parked:
    """The answer to a mount."""
    waiting = record.state is ParkedState.WAITING
    return Parked(record.id, record.drive_serial, record.kad, counter, record.medium_serial, waiting)


def _waiting(transaction: Transaction, drive: str, rule: Rule, room: KadRoom) -> ParkedRecord | None:
    """A key that waits already, if it would be made for the same recipient now; those that would not are dropped."""
    kept = None
    for record in parked_keys.waiting(transaction, drive):
        if kept is None and _same_recipient(transaction, record, rule, room):
            kept = record
        else:
            parked_keys.drop(transaction, record)
    return kept


def _same_recipient(transaction: Transaction, record: ParkedRecord, rule: Rule, room: KadRoom) -> bool:
    trial = _seal(transaction, new_data_key(), rule, room)
    old, new = brief.read_brief(record.kad), brief.read_brief(trial)
    return (old.form, old.locator) == (new.form, new.locator)


def _make(transaction: Transaction, drive: str, rule: Rule, room: KadRoom) -> ParkedRecord:
    key = new_data_key()
    record = parked_keys.add(transaction, key, drive, _seal(transaction, key, rule, room))
    transaction.note("key made to be parked", key=str(key.id), drive=drive)
    return record


def _seal(transaction: Transaction, key: DataKey, rule: Rule, room: KadRoom) -> bytes:
    """The brief envelope: for somebody outside if there is one, else for whom a cartridge's would be."""
    outside = [record.name for record in _outside(transaction, rule)]
    stand_ins = (recipients.with_role(transaction, role) for role in (Role.RECOVERY, Role.SITE, Role.GROUP))
    names = [*outside, *rule.recipients, *(record.name for record in stand_ins if record)]
    named = [recipients.named(transaction, name) for name in dict.fromkeys(names)]
    return brief.seal_brief(key, named, room)


def _outside(transaction: Transaction, rule: Rule) -> list[RecipientRecord]:
    """Recipients whose brief envelope only somebody else can open: the recovery recipient first."""
    found = [record for record in _everyone(transaction, rule) if not record.held]
    now = transaction.now()
    return [one for one in found if one.suite is Suite.HPKE_X25519 and not (one.expires and one.expires <= now)]


def _everyone(transaction: Transaction, rule: Rule) -> list[RecipientRecord]:
    recovery = recipients.with_role(transaction, Role.RECOVERY)
    named = [recipients.get(transaction, name) for name in rule.recipients]
    return [*([recovery] if recovery else []), *named]


def _hybrid(transaction: Transaction, rule: Rule) -> bool:
    return any(record.suite.hybrid for record in _everyone(transaction, rule))


def _suits(transaction: Transaction, request: Request) -> bool:
    """Whether a key with a classical envelope beside its blocks may be this cartridge's."""
    return request.rule.carry is Carry.FULL and not _hybrid(transaction, request.rule)

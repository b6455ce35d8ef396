"""Make an envelope and KAD for a key as a rule and the rooms demand, and put them on record as the current ones."""

import hashlib
import json
import os

from tapekey.errors import DoesNotFit, Refused
from tapekey.keys import brief, envelope, signature
from tapekey.keys.data_key import DataKey
from tapekey.keys.envelope import Binding, Sealed
from tapekey.keys.signature import SigningKey
from tapekey.keystore import cartridges, data_keys, recipients, store
from tapekey.keystore.birth import SIGNING_KEY, SITE
from tapekey.keystore.records import Issue, Role
from tapekey.keystore.rows import Transaction
from tapekey.manager.questions import Prepared, Request
from tapekey.policy.facts import Carry, Stance

NOTHING = Sealed(b"", (), ())


def issue(transaction: Transaction, manager_id: bytes, request: Request, key: DataKey) -> Issue:
    """Seal, record, supersede what was issued before; nothing is committed here."""
    demand_valid(transaction, request)
    names = wrapped_for(transaction, request)
    cartridge = cartridges.seen(transaction, request.medium_serial, request.volser)
    binding = Binding(key.id, request.medium_serial, manager_id, cartridge.sequence + 1, cartridge_label(request))
    sealed = _seal(transaction, request, key, binding, names)
    kad = _brief(transaction, request, key)
    new = Issue(
        id=os.urandom(16),
        key_id=key.id,
        medium_serial=request.medium_serial,
        sequence=binding.sequence,
        envelope=sealed.envelope,
        hash=hashlib.sha256(sealed.envelope).digest(),
        kad=kad,
        shape=shape(transaction, request),
        carried=sealed.carried,
        left_out=tuple(name for name in names if name not in sealed.carried),
        outside=any(not recipients.get(transaction, name).held for name in sealed.carried),
        superseded=False,
        issued=transaction.now(),
    )
    data_keys.issue(transaction, new)
    required = request.rule.stance is Stance.REQUIRE
    cartridges.issued(transaction, cartridge, key.id, binding.sequence, required=required)
    return new


def demand_valid(transaction: Transaction, request: Request) -> None:
    """Refused if the certificate of somebody whom the key is for has expired."""
    for record in (recipients.get(transaction, name) for name in wrapped_for(transaction, request)):
        if record.expires and record.expires <= transaction.now():
            raise Refused(
                f"no key is made for recipient {record.name}",
                why=f"its certificate expired at {record.expires}",
                mend="put another recipient into the rule",
            )


def shape(transaction: Transaction, request: Request) -> str:
    """All that an issue depends on: when it changes, a key that was never released is sealed anew."""
    rule = request.rule
    room = (request.mam_room, request.kad_room.authenticated, request.kad_room.unauthenticated)
    return json.dumps(
        [*room, rule.stance.value, rule.carry.value, wrapped_for(transaction, request), sorted(rule.must_fit)]
    )


def wrapped_for(transaction: Transaction, request: Request) -> list[str]:
    """The recovery recipient first, so that room never runs out for it; then the rule's, in its order.

    A rule without recipients (the default, held to `require` by an earlier one) wraps for the site.
    """
    recovery = recipients.with_role(transaction, Role.RECOVERY)
    first = [recovery.name] if recovery else []
    rest = request.rule.recipients or (SITE,)
    return [*first, *(name for name in rest if name not in first)]


def cartridge_label(request: Request) -> str:
    """The volser as an envelope takes it; a label that cannot stand there is left out, being a claim only."""
    plain = all(" " <= char <= "~" for char in request.volser) and len(request.volser) <= envelope.TEXT_MAX
    return request.volser if plain else ""


def as_prepared(transaction: Transaction, one: Issue) -> Prepared:
    """The answer to a mount."""
    older = (
        earlier.hash
        for earlier in data_keys.issues_for_medium(transaction, one.medium_serial)
        if earlier.superseded and earlier.envelope
    )
    return Prepared(one.key_id, one.envelope, one.kad, one.carried, one.left_out, tuple(older))


def _seal(transaction: Transaction, request: Request, key: DataKey, binding: Binding, names: list[str]) -> Sealed:
    id_only = request.rule.carry is Carry.ID
    named = [recipients.named(transaction, name) for name in names]
    try:
        sealed = NOTHING
        if request.mam_room > 0:
            signer = _signer(transaction)
            sealed = envelope.seal(key, binding, named, room=request.mam_room, id_only=id_only, signer=signer)
    except DoesNotFit:
        if request.rule.must_fit:
            raise
    missing = request.rule.must_fit - set(sealed.carried)
    if missing:
        raise DoesNotFit(
            f"no room on cartridge {request.medium_serial} for {', '.join(sorted(missing))}",
            why="the rule says carry = id" if id_only else f"its memory takes {request.mam_room} bytes",
            mend="use a smaller key for that recipient, or put it first in the rule, or drop --must-fit",
        )
    return sealed


def _brief(transaction: Transaction, request: Request, key: DataKey) -> bytes:
    """For the rule's first recipient that fits; the recovery, site and group keys stand in behind them."""
    room = request.kad_room
    if room.total < brief.Form.ID_ONLY.value:
        return b""
    stand_ins = (recipients.with_role(transaction, role) for role in (Role.RECOVERY, Role.SITE, Role.GROUP))
    names = [*request.rule.recipients, *(record.name for record in stand_ins if record)]
    named = [recipients.named(transaction, name) for name in dict.fromkeys(names)]
    return brief.seal_brief(key, named, room, id_only=request.rule.carry is Carry.ID)


def _signer(transaction: Transaction) -> SigningKey:
    return signature.of_seed(store.kept_secret(transaction, SIGNING_KEY))

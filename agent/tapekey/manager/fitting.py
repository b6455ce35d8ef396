"""Whether an envelope for a rule's recipients would fit into a cartridge's memory: tried with a key for nothing."""

from tapekey.errors import DoesNotFit
from tapekey.keys import envelope
from tapekey.keys.brief import KadRoom
from tapekey.keys.data_key import new_data_key
from tapekey.keys.envelope import Binding
from tapekey.keystore import recipients
from tapekey.keystore.rows import Transaction
from tapekey.manager import issuing
from tapekey.manager.questions import Request
from tapekey.policy.facts import Carry, Rule


def left_out(transaction: Transaction, manager_id: bytes, rule: Rule, medium_serial: str, room: int) -> tuple[str, ...]:
    """The recipients for whom there would be no room, in the rule's order."""
    names = issuing.wrapped_for(transaction, Request(medium_serial, "", rule, room, KadRoom(0, 0)))
    named = [recipients.named(transaction, name) for name in names]
    key = new_data_key()
    try:
        made = envelope.seal(
            key,
            Binding(key.id, medium_serial, manager_id, 1),
            named,
            room=room,
            id_only=rule.carry is Carry.ID,
        )
        return made.left_out if rule.carry is not Carry.ID else ()
    except DoesNotFit:
        return tuple(names)
    finally:
        key.secret.wipe()

"""Take a cartridge that was written elsewhere into the store, on an operator's word, so that it may be appended to."""

from typing import Protocol

from tapekey.cartridge import envelopes
from tapekey.errors import DoesNotFit, Refused
from tapekey.exchange import Transport
from tapekey.keys.data_key import KeyId
from tapekey.manager.questions import Evidence, KeyManager, Prepared, Request
from tapekey.mount import outcome, save
from tapekey.mount.options import Options
from tapekey.mount.scene import observe
from tapekey.mount.state import Course
from tapekey.policy.decide import decide
from tapekey.policy.decision import Refuse
from tapekey.policy.facts import Intent
from tapekey.policy.situation import Situation, situation


class Adopter(KeyManager, Protocol):
    """A manager that can take a key made elsewhere on record."""

    def adopt(self, evidence: Evidence, request: Request, *, by: str) -> Prepared:
        """Unwrap and commit; what is prepared has to stand on the cartridge before its next save."""
        ...


def adopt(transport: Transport, manager: Adopter, by: str, options: Options | None = None) -> KeyId:
    """Adopt the mounted cartridge. Nothing in the drive is changed; the next save writes under the adopted key."""
    scene = observe(transport, manager, Intent.SAVE, options or Options())
    decision = decide(scene.facts)
    if isinstance(decision, Refuse):
        outcome.settle(transport, manager, scene, decision, Course())
    if situation(scene.facts.cartridge, scene.facts.key) is not Situation.STRANGER:
        raise Refused(
            f"cartridge {scene.cartridge} cannot be adopted",
            why=f"it does not carry a key made elsewhere: {decision.why}",
            mend="see: tapekey cartridge show",
        )
    prepared = manager.adopt(scene.evidence, save.request(transport, scene), by=by)
    if prepared.envelope:
        _carry(transport, prepared)
    return prepared.key_id


def _carry(transport: Transport, prepared: Prepared) -> None:
    """The memory may refuse it: then the blocks' own data and the store carry the key."""
    try:
        envelopes.write(transport, prepared.envelope)
    except DoesNotFit:
        return

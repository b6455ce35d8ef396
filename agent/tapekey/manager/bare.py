"""A manager without a keystore: private keys only, enough to restore any cartridge that is wrapped for one of them."""

from dataclasses import dataclass

from tapekey.keys.identity import Identity
from tapekey.manager import unwrapping
from tapekey.manager.questions import Evidence, KeyMaterial, ReadingKey, WrapTarget


@dataclass(frozen=True, slots=True)
class BareManager:
    """Answers `ReadingKeys`. Every key that it gives is foreign: good for reading, never for writing."""

    identities: tuple[Identity, ...]

    def key_for_reading(self, evidence: Evidence, *, drive: str, wrap: WrapTarget | None) -> ReadingKey:
        """Unwrap. The key is given in clear whatever the drive offers: nothing pins the drive's public key here."""
        key = unwrapping.unwrap(evidence, self.identities)
        return ReadingKey(KeyMaterial(key.id, plain=key.secret), foreign=True)

"""What whoever asks for a mount says beside the drive: where the cartridge stands, and what is allowed this once."""

from dataclasses import dataclass, field

from tapekey.drive.load import PATIENT, Patience
from tapekey.policy.facts import Guard


@dataclass(frozen=True, slots=True)
class Way:
    """How the drive is reached. `network`: by iSCSI; `clear_key`: and a key may go that way in clear."""

    network: bool = False
    clear_key: bool = False

    @property
    def exposes(self) -> bool:
        """Whether a key that is not wrapped may not go this way."""
        return self.network and not self.clear_key


HERE = Way()


@dataclass(frozen=True, slots=True)
class Options:
    """`volsers` are what others say of the barcode (the changer's volume tag); the memory's own word joins them."""

    volsers: tuple[str, ...] = ()
    pool: str = ""
    library: str = ""
    allow_virtual: bool = False
    way: Way = HERE
    unguarded: frozenset[str] = field(default_factory=frozenset)  # serials of drives that may read without a guard
    guards: frozenset[Guard] = field(default_factory=frozenset)  # those that the caller stands for, beside the drive's
    clear_labels: bool = False
    load: bool = True
    lock: bool = True
    patience: Patience = PATIENT

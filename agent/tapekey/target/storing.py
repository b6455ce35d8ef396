"""How blocks are stored under given conditions: what would be found out again for every block written."""

from dataclasses import dataclass

from tapekey.target.cartridge import Cartridge
from tapekey.target.medium_record import Seal
from tapekey.target.parameters import ParameterSet
from tapekey.target.personality import Personality


@dataclass(frozen=True, slots=True)
class Storing:
    """How blocks are stored, once for all that are written under the same conditions. It holds no key.

    used to page   the conditions, each replaced and never changed in place: the same objects, the same answer
    code, seal     the algorithm, and what every block's seal has in common; None for clear blocks
    """

    used: ParameterSet
    cartridge: Cartridge | None
    personality: Personality
    page: bytes | None
    code: int
    seal: Seal | None
    compresses: bool

    def holds(
        self, used: ParameterSet, cartridge: Cartridge | None, personality: Personality, page: bytes | None
    ) -> bool:
        """Whether these are still the conditions."""
        return (
            self.used is used and self.cartridge is cartridge and self.personality is personality and self.page is page
        )

"""What a drive does with a cleaning cartridge: it uses it once, counts that in its chip, and pushes it out."""

from dataclasses import replace
from typing import Final

from tapekey.errors import MediumDamaged
from tapekey.target import memory_attributes
from tapekey.target.cartridge import Cartridge

CYCLES: Final = 50  # attribute 0409h of a cleaning cartridge


def use(cartridge: Cartridge, vendor: str, serial: str) -> bool:
    """Clean with it; False if it is used up, or nobody can tell how often it was used."""
    try:
        old = cartridge.memory.account
    except MediumDamaged:
        return False
    if old.loads >= CYCLES:
        return False
    devices = (memory_attributes.drive(vendor, serial), *old.devices)[:4]
    cartridge.memory.keep(replace(old, loads=old.loads + 1, devices=devices))
    return True

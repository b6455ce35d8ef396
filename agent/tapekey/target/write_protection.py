"""What keeps a drive from writing on the volume in it: its generation, the tab, and the bits of mode page 10h."""

from tapekey.target import modes, volume_protection
from tapekey.target.cartridge import Cartridge
from tapekey.target.refusal import data_protect
from tapekey.target.state import Drive


def check(drive: Drive) -> None:
    """Refuse to write on the mounted volume if anything protects it."""
    check_on(drive, drive.require_medium())


def check_on(drive: Drive, cartridge: Cartridge) -> None:
    """The same of a volume that is known to be mounted."""
    if cartridge.identity.generation.name not in drive.personality.writes:
        raise data_protect(0x30, 0x05)
    if is_protected(drive):
        raise data_protect(0x27, 0x00)


def is_protected(drive: Drive) -> bool:
    """The tab, or any of the bits of the mode page: what the WP bit of MODE SENSE tells."""
    if drive.modes.bit(drive.personality, modes.CONFIGURATION, 10, modes.SOFT_WRITE_PROTECT):
        return True
    cartridge = drive.mounted_cartridge
    return cartridge is not None and (cartridge.protected or bool(drive.volume_protection))


def protect(drive: Drive, cartridge: Cartridge, bits: int) -> None:
    """Set ASOCWP, PERSWP and PRMWP of the mounted volume."""
    lasting = volume_protection.PERSISTENT | volume_protection.PERMANENT
    if (bits ^ drive.volume_protection) & lasting:
        volume_protection.keep(cartridge.directory, bits)
    drive.volume_protection = bits

"""Write protection that a cartridge carries."""

from pathlib import Path

from tapekey.target import volume_protection
from tapekey.target.volume_protection import ASSOCIATED, PERMANENT, PERSISTENT


def test_lasting_bits_are_kept_and_the_associated_one_is_not(tmp_path: Path) -> None:
    assert volume_protection.of_cartridge(tmp_path) == 0

    volume_protection.keep(tmp_path, ASSOCIATED | PERSISTENT | PERMANENT)

    assert volume_protection.of_cartridge(tmp_path) == PERSISTENT | PERMANENT
    volume_protection.keep(tmp_path, 0)
    assert volume_protection.of_cartridge(tmp_path) == 0

"""Key-associated data as they were set, and as drives give them back."""

from pathlib import Path

import pytest

from tapekey.mount import first_block
from tests.mount.tampering import DRIVES
from tests.rig import rig

SAME = {
    "as set": (b"\x01\x02\x03", b"\x01\x02\x03", True),
    "filled up with zeros": (b"\x01\x02\x03\0\0\0", b"\x01\x02\x03", True),
    "filled up with something else": (b"\x01\x02\x03\0\0\1", b"\x01\x02\x03", False),
    "cut short": (b"\x01\x02", b"\x01\x02\x03", False),
    "another": (b"\x01\x02\x04", b"\x01\x02\x03", False),
    "none stored": (b"", b"\x01\x02\x03", False),
    "none set": (b"", b"", False),
}


@pytest.mark.parametrize(("stored", "sent", "same"), SAME.values(), ids=SAME)
def test_stored_data_are_compared_with_what_was_set(stored: bytes, sent: bytes, same: bool) -> None:
    assert first_block.same(stored, sent) is same


@pytest.mark.parametrize("name", DRIVES)
def test_first_block_tells_its_mount(name: str, tmp_path: Path) -> None:
    with rig(tmp_path, name) as agent:
        saved = agent.save()
        agent.write()
        assert saved.mount is not None
        assert first_block.is_under(agent.host, saved.mount, 0)
        agent.reload()
        agent.scratch(saved.cartridge)
        again = agent.save()
        assert again.mount is not None
        assert not first_block.is_under(agent.host, again.mount, 0)

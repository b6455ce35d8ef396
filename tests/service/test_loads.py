"""Whether a cartridge was loaded again since its mount was verified: only what is certain counts."""

from dataclasses import replace
from pathlib import Path

import pytest

from tapekey.manager.questions import Mount
from tapekey.policy.facts import Intent
from tapekey.service import loads

MOUNT = Mount(7, "SER/1", "CART", "ENC001L6", Intent.SAVE)

# fmt: off
COUNTS = {
    "one more":       (5, 6, True),
    "the same":       (5, 5, False),
    "fewer":          (5, 4, False),
    "not told now":   (5, None, False),
    "not told then":  (None, 6, False),
}
# fmt: on


@pytest.mark.parametrize(("then", "now", "risen"), COUNTS.values(), ids=COUNTS)
def test_only_a_count_that_rose_tells_of_a_load(then: int | None, now: int | None, risen: bool, tmp_path: Path) -> None:
    loads.keep(tmp_path, MOUNT, then)
    assert loads.has_risen(tmp_path, MOUNT, now) is risen


def test_the_count_of_another_mount_tells_nothing(tmp_path: Path) -> None:
    loads.keep(tmp_path, MOUNT, 5)
    assert not loads.has_risen(tmp_path, replace(MOUNT, generation=8), 9)
    assert not loads.has_risen(tmp_path, replace(MOUNT, drive_serial="SER2"), 9)


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{", b"null", b'{"generation": 7}', b'{"generation": 7, "loads": "5"}']
)
def test_what_is_not_as_it_was_put_down_tells_nothing(content: bytes, tmp_path: Path) -> None:
    loads.keep(tmp_path, MOUNT, 5)
    (place,) = (tmp_path / "loads").iterdir()
    place.write_bytes(content)
    assert not loads.has_risen(tmp_path, MOUNT, 9)


def test_a_place_that_takes_nothing_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "loads").write_text("no directory")
    loads.keep(tmp_path, MOUNT, 5)
    assert not loads.has_risen(tmp_path, MOUNT, 9)

"""What the rounds make of the library's word."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tapekey.policy.facts import Stance
from tapekey.service.events import Cause
from tapekey.service.view import State
from tests.rig import Rig, rig
from tests.service.crew import crew


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Rig]:
    with rig(tmp_path, inserted=False) as made:
        made.rule(Stance.REQUIRE, "*", "site", "partner")
        yield made


def test_what_was_refused_by_the_barcode_of_the_cartridge_before_is_tried_again(bench: Rig) -> None:
    """A library is asked seldom: its word may be of the cartridge that was in the bay a moment ago."""
    with crew(bench) as seen:
        seen.until(State.EMPTY)
        seen.post(Cause.LIBRARY, full=True, barcode="XYZ009L6", library="LIB")
        seen.insert(bench.directory / "cartridge")
        seen.until(State.REFUSED)
        assert "different volumes" in seen.why
        seen.post(Cause.LIBRARY, full=True, barcode="ENC001L6", library="LIB")
        seen.until(State.READY_TO_WRITE)

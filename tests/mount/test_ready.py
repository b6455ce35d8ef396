"""Ready for what may be done with a cartridge of which nobody said what it is for."""

from pathlib import Path

import pytest

from tapekey.errors import Refused
from tapekey.mount.ready import ready
from tapekey.mount.restore import Restored
from tapekey.mount.save import Saved
from tapekey.mount.state import Phase
from tests.rig import VOLSER, rig


def test_a_blank_cartridge_is_made_ready_to_write(tmp_path: Path) -> None:
    with rig(tmp_path) as bench:
        done = ready(bench.host, bench.manager, bench.options())
        assert isinstance(done, Saved)
        assert done.phase is Phase.READY_TO_WRITE
        assert done.encrypted


def test_one_that_may_only_be_read_is_made_ready_to_read_and_says_why(tmp_path: Path) -> None:
    with rig(tmp_path) as bench:
        bench.write()
        done = ready(bench.host, bench.manager, bench.options())
        assert isinstance(done, Restored)
        assert done.phase is Phase.CLOSED
        assert f"cannot save to cartridge {VOLSER}" in done.not_written


def test_an_alarm_is_not_read_past(tmp_path: Path) -> None:
    with rig(tmp_path) as bench, pytest.raises(Refused) as caught:
        ready(bench.host, bench.manager, bench.options(volsers=("ENC777L6",)))
    assert caught.value.alarm
    assert caught.value.what.startswith("cannot save to")

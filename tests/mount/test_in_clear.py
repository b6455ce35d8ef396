"""Writing where no keystore is at hand."""

from pathlib import Path

import pytest

from tapekey.errors import HardwareFailed, Refused
from tapekey.mount import in_clear
from tests.mount.tampering import DRIVES
from tests.rig import check_condition, faulty, page, rig


@pytest.mark.parametrize("name", DRIVES)
def test_blank_cartridge_may_be_written_in_clear(name: str, tmp_path: Path) -> None:
    with rig(tmp_path, name) as agent:
        in_clear.refuse(agent.settled)


@pytest.mark.parametrize("name", DRIVES)
def test_saved_cartridge_may_be_written(name: str, tmp_path: Path) -> None:
    with rig(tmp_path, name) as agent:
        agent.save()
        in_clear.refuse(agent.host)


@pytest.mark.parametrize("name", DRIVES)
def test_cartridge_with_an_envelope_is_not_written_without_its_key(name: str, tmp_path: Path) -> None:
    with rig(tmp_path, name) as agent:
        agent.save()
        agent.reload()
        with pytest.raises(Refused, match="would write in clear"):
            in_clear.refuse(agent.settled)


@pytest.mark.parametrize("name", DRIVES)
def test_key_for_reading_is_none_for_writing(name: str, tmp_path: Path) -> None:
    with rig(tmp_path, name) as agent:
        agent.save()
        agent.write()
        agent.reload()
        agent.restore()
        with pytest.raises(Refused, match="would write in clear"):
            in_clear.refuse(agent.host)


def test_drive_that_cannot_be_asked_does_not_encrypt_for_us(tmp_path: Path) -> None:
    with rig(tmp_path) as agent:
        agent.save()
        host = faulty(agent.host, when=page(0xA2, 0x20), reply=check_condition(5, 0x20, 0x00), times=-1)
        with pytest.raises(Refused):
            in_clear.refuse(host)


def test_error_is_not_taken_for_no(tmp_path: Path) -> None:
    with rig(tmp_path) as agent:
        agent.save()
        host = faulty(agent.host, when=page(0xA2, 0x20), reply=check_condition(4, 0x44, 0x00), times=-1)
        with pytest.raises(HardwareFailed):
            in_clear.refuse(host)

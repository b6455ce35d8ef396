"""What a drive tells once is kept by whoever heard it."""

import threading

import pytest

from tapekey.errors import TransportFailed
from tapekey.exchange import Command, Reply
from tapekey.scsi import media
from tapekey.service.attentions import Attentive
from tests.rig import check_condition

# key, ASC, ASCQ as SPC-4 and SSC-4 have them, and whether it has to be kept
CODES = {
    "power on": ((6, 0x29, 0x00), True),
    "bus device reset": ((6, 0x29, 0x03), True),
    "medium may have changed": ((6, 0x28, 0x00), True),
    "parameters changed by another nexus": ((6, 0x2A, 0x11), True),
    "parameters changed by a vendor specific event": ((6, 0x2A, 0x12), True),
    "key instance counter changed, as an attention": ((6, 0x2A, 0x13), True),
    "key instance counter changed, under a lock": ((7, 0x2A, 0x13), True),
    "mode parameters changed": ((6, 0x2A, 0x01), False),
    "import or export element accessed": ((6, 0x28, 0x01), False),
    "becoming ready": ((2, 0x04, 0x01), False),
}


class Says:
    def __init__(self, reply: Reply) -> None:
        self.reply = reply

    def execute(self, command: Command) -> Reply:
        return self.reply


@pytest.mark.parametrize(("code", "kept"), CODES.values(), ids=CODES)
def test_resets_and_changes_are_kept_until_they_are_taken(code: tuple[int, int, int], kept: bool) -> None:
    heard = Attentive(Says(check_condition(*code)))
    assert heard.execute(media.test_unit_ready()).status == 2
    assert heard.taken() == ((f"{code[0]:X}/{code[1]:02X}/{code[2]:02X}",) if kept else ())
    assert heard.taken() == ()


def test_sense_that_is_none_is_passed_on() -> None:
    heard = Attentive(Says(Reply(2, b"", b"\xff")))
    assert heard.execute(media.test_unit_ready()).sense == b"\xff"
    assert heard.taken() == ()


@pytest.mark.parametrize("when", ["before", "while it answers"])
def test_nothing_passes_to_or_from_a_device_that_went(when: str) -> None:
    over = threading.Event()

    class Goes(Says):
        def execute(self, command: Command) -> Reply:
            assert when == "while it answers"
            over.set()
            return self.reply

    if when == "before":
        over.set()
    with pytest.raises(TransportFailed, match="the device is gone"):
        Attentive(Goes(Reply(0)), over).execute(media.test_unit_ready())

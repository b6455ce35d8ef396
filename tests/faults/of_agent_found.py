"""Faults in what an agent makes of a drive and a cartridge that it finds."""

from typing import Final

from tapekey.cartridge import contents, identity
from tests.faults.fault import Fault, skipped

_CONTENTS = "tests/cartridge/test_contents.py::"

FAULTS: Final[dict[str, Fault]] = {
    "a short tape is taken for filemarks": Fault(
        skipped(contents, "_only_marks", True),
        _CONTENTS + "test_what_may_be_more_than_a_few_filemarks_is_no_blank_tape[a filemark and a block]",
        "a cartridge with one clear block gets a key, and is written over",
    ),
    "a filemark on a write-once cartridge is overwritten": Fault(
        skipped(identity, "is_write_once", False),
        _CONTENTS + "test_a_filemark_on_a_write_once_cartridge_stays_there",
        "a key is made for a cartridge that takes none from its beginning",
    ),
}

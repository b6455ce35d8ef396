"""Early warning and the programmable one before it: what a write that went well has to tell (reference 1.5, 1.6)."""

from tapekey.scsi.sense import SenseKey
from tapekey.target.medium import Tape
from tapekey.target.refusal import Refusal, sense
from tapekey.target.state import Drive


def tell(drive: Drive, tape: Tape, before: int) -> None:
    """NO SENSE with EOM: everything was written, and the end is near. `before` is where the write began, in bytes.

    Behind early warning every write says so; the programmable warning is said once, by the write that passes it.
    """
    if tape.past_early_warning:
        raise Refusal(sense(SenseKey.NO_SENSE, 0x00, 0x02, information=0, eom=True))
    mark = _programmed(drive, tape)
    if mark is not None and before <= mark < tape.passed:
        raise Refusal(sense(SenseKey.NO_SENSE, 0x00, 0x07, information=0, eom=True))


def beyond_programmed(drive: Drive, tape: Tape) -> bool:
    """BPEW of READ POSITION: a size is set (PEWS), and the position lies behind where it begins."""
    mark = _programmed(drive, tape)
    return mark is not None and tape.passed > mark


def _programmed(drive: Drive, tape: Tape) -> int | None:
    size = drive.modes.early_warning(drive.personality)
    return max(tape.capacity - tape.margin - size, 0) if size else None

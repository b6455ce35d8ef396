"""No clear block on a cartridge of ours by mistake, where no keystore is at hand to say what holds for it.

An envelope of ours in the cartridge's memory is enough to know that it is meant to be encrypted. This does not replace
the drive's own guard; it stands where the drive has none.
"""

from tapekey.cartridge import envelopes
from tapekey.drive import modes, parameters
from tapekey.errors import Refused, RequestRefused
from tapekey.exchange import Transport


def refuse(transport: Transport) -> None:
    """Refused: the mounted cartridge carries an envelope, and the drive would not encrypt what is written."""
    if not envelopes.read(transport) or _encrypts(transport):
        return
    raise Refused(
        "nothing is written",
        why="the cartridge carries the envelope of a key, and the drive would write in clear",
        mend="tapekey save DRIVE first; if clear data are meant: --in-clear",
    )


def _encrypts(transport: Transport) -> bool:
    """By the drive's word; one that takes no such question does not encrypt for us."""
    try:
        return modes.in_force(parameters.status(transport))[0] is modes.WRITE[0]
    except RequestRefused:
        return False

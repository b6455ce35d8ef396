"""Back to the beginning of the tape, after something was looked at."""

from tapekey.exchange import Transport
from tapekey.scsi import media
from tapekey.scsi.run import run


def rewind(transport: Transport) -> None:
    """Wind to the beginning of the current partition, and wait for it."""
    run(transport, media.rewind())

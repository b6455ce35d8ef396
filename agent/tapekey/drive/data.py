"""A stream from the beginning of tape, closed by a filemark: for `tapekey tape`, where no other software is at hand."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

from tapekey.errors import DriveLied, EndOfMedium, Malformed
from tapekey.exchange import Transport
from tapekey.scsi import media
from tapekey.scsi.run import Outcome, perform, run

BLOCK = 256 * 1024

Progress = Callable[[int], None]  # told the bytes so far, after every block


@dataclass(frozen=True, slots=True)
class Amount:
    size: int
    blocks: int


def write(transport: Transport, source: BinaryIO, progress: Progress | None = None, *, block: int = BLOCK) -> Amount:
    """Write all of `source` from the beginning of partition 0, and a filemark that closes and flushes it.

    EndOfMedium: it does not fit, and what is on the tape is not closed by a filemark.
    """
    run(transport, media.locate_near(0, partition=0))
    size = blocks = 0
    while piece := _fill(source, block):
        _check(perform(transport, media.write_block(piece)))
        size += len(piece)
        blocks += 1
        if progress:
            progress(size)
    _check(perform(transport, media.write_filemarks()))
    return Amount(size, blocks)


def read(transport: Transport, sink: BinaryIO, progress: Progress | None = None, *, block: int = BLOCK) -> Amount:
    """Read from the beginning of partition 0 up to the first filemark.

    EndOfData: the tape ends without one, so the stream is not whole. Malformed: a block is longer than `block`.
    WrongKey, DataProtected: the next block is not to be decrypted with what is in the drive.
    """
    run(transport, media.locate_near(0, partition=0))
    size = blocks = 0
    while (piece := _read_block(transport, block)) is not None:
        sink.write(piece)
        size += len(piece)
        blocks += 1
        if progress:
            progress(size)
    return Amount(size, blocks)


def _fill(source: BinaryIO, size: int) -> bytes:
    """Up to `size` bytes; fewer only at the end, however the source cuts its pieces."""
    piece = bytearray()
    while len(piece) < size and (more := source.read(size - len(piece))):
        piece += more
    return bytes(piece)


def _check(outcome: Outcome) -> None:
    """A write is done when the drive took it all; early warning (key 0 with EOM) is no error until the tape is full."""
    sense = outcome.sense
    if sense is None:
        return
    if sense.filemark or sense.ili or sense.information:
        raise DriveLied(
            "the drive did not take a whole block",
            why=f"{sense.code}, {sense.information} bytes were left",
            mend="write the tape again, with another drive if it happens again",
        )


def _read_block(transport: Transport, room: int) -> bytes | None:
    """The next block; None at a filemark."""
    outcome = perform(transport, media.read_block(room))
    sense = outcome.sense
    residual = sense.information or 0 if sense else 0
    if sense and sense.filemark:
        return None
    if sense and sense.eom and not sense.ili:
        raise EndOfMedium("the end of the tape came before a filemark", code=sense.code)
    if residual < 0:
        raise Malformed(
            "a block on the tape is longer than can be read",
            why=f"it has {room - residual} bytes, {room} were asked for",
            mend=f"read with a block size of {room - residual}",
        )
    if len(outcome.data) != room - residual:
        raise DriveLied(
            "a block did not arrive whole",
            why=f"the drive announced {room - residual} bytes and sent {len(outcome.data)}",
            mend="read it again; if it happens again, try another drive",
        )
    return outcome.data

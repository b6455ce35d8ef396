"""The header of a log: two copies, each in a page of its own, of which one is always whole.

It tells what the records alone cannot: where the present epoch begins, so that what lay there before is never taken
for the tape; and up to where everything had reached the disk, so that what is missing there is damage and no torn end.
"""

import struct
from dataclasses import dataclass, replace
from typing import Final, Self

from crc32c import crc32c

from tapekey.errors import Malformed, MediumDamaged

PAGE: Final = 4096
LOG_HEADER: Final = 2 * PAGE
_MAGIC: Final = b"tapekey tape log"
_VERSION: Final = 2
_SIZE: Final = 128
# magic, version, partition, log id, turn, epoch, cut, vouched, objects, filemarks
_LAYOUT: Final = struct.Struct(">16sHH4x16sQI4xQQQQ36x")
_SUM: Final = struct.Struct(">I")


@dataclass(frozen=True, slots=True)
class LogHeader:
    """What a log says of itself.

    turn      how often the header has been written; of two copies the later one counts
    epoch     how often the log has been cut; records from `cut` on are of this epoch, those before of earlier ones
    vouched   everything before this offset had reached the disk: so many objects, of them so many filemarks
    """

    partition: int
    log_id: bytes
    turn: int = 0
    epoch: int = 0
    cut: int = LOG_HEADER
    vouched: int = LOG_HEADER
    objects: int = 0
    filemarks: int = 0

    def vouching(self, vouched: int, objects: int, filemarks: int) -> Self:
        """This header, saying that everything before `vouched` is on disk."""
        return replace(self, vouched=vouched, objects=objects, filemarks=filemarks)

    def belongs(self, offset: int, end: int, epoch: int) -> bool:
        """Whether a record from `offset` to `end`, of that epoch, is of the present tape and not of an older one."""
        return epoch == self.epoch if offset >= self.cut else epoch < self.epoch and end <= self.cut


def encode(header: LogHeader) -> bytes:
    """Write one copy."""
    image = _LAYOUT.pack(
        _MAGIC,
        _VERSION,
        header.partition,
        header.log_id,
        header.turn,
        header.epoch,
        header.cut,
        header.vouched,
        header.objects,
        header.filemarks,
    )
    return image + _SUM.pack(crc32c(image))


def decode(image: bytes) -> LogHeader:
    """Read one copy; MediumDamaged if it does not verify, Malformed if it is another format's."""
    if len(image) < _SIZE or _SUM.unpack_from(image, _SIZE - 4)[0] != crc32c(image[: _SIZE - 4]):
        raise MediumDamaged("the header of the tape log is damaged")
    magic, version, *fields = _LAYOUT.unpack_from(image)
    if magic != _MAGIC or version != _VERSION:
        raise Malformed("this is no tape log that is known here", why=f"version {version}, known is {_VERSION}")
    return LogHeader(*fields)


def latest(image: bytes) -> LogHeader:
    """The copy that counts, from the first two pages of a log; MediumDamaged if neither verifies."""
    found: list[LogHeader] = []
    for page in (image[:PAGE], image[PAGE:]):
        try:
            found.append(decode(page))
        except MediumDamaged:
            continue
    if not found:
        raise MediumDamaged("both headers of the tape log are damaged")
    return max(found, key=lambda header: header.turn)


def copies(header: LogHeader) -> bytes:
    """The first two pages of a new log."""
    return encode(header).ljust(PAGE, b"\0") * 2


def place(turn: int) -> int:
    """Where the copy of a turn goes: the two take turns."""
    return PAGE * (turn % 2)

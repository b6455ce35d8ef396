"""Records of blocks that are alike: one record in one place, whose header is stamped or compared rather than made anew.

Blocks of a stream differ in place, IV and content only. What `medium_record` packs and unpacks for each of them stays
as it is here, and the bytes are the same.
"""

from struct import Struct
from typing import Final

from crc32c import crc32c

from tapekey.target.medium_record import FIXED, Block, Kind, Place, checksum, image

_PLACE: Final = Struct(">QQQI")  # offset, object number, file number, epoch
_AT: Final = 24
_LIKE: Final = slice(52, 72)  # from the kind to the kind of checksum
_IV: Final = slice(72, 84)
_SUM: Final = Struct(">I")
_SUM_OF_STORED: Final = 120
_SUM_OF_HEADER: Final = 124
# marker, offset, object number, what is alike, checksums of the stored bytes and of the header
_LAYOUT: Final = Struct(">24sQQ12x20s12x36xII")


class Mould:
    """Room for one record, and the header that all have in common.

    record  header, key-associated data, stored bytes: as they are on the medium
    iv      the place of the IV in it; `stored`, of the stored bytes
    block   of the host's bytes: the first of the stored ones, which are encrypted and opened where they lie
    """

    __slots__ = (
        "_fixed",
        "_kads",
        "_like",
        "_marker",
        "_place_of_kads",
        *("block", "encrypted", "iv", "record", "stored"),
    )

    def __init__(self, log_id: bytes, block: Block, size: int) -> None:
        head = image(log_id, (0, 0, 0, 0), Kind.BLOCK, block, size)
        self.record = memoryview(bytearray(len(head) + size))
        self.record[: len(head)] = head
        self.iv, self.stored = self.record[_IV], self.record[len(head) :]
        self.block, self.encrypted = self.stored[: block.length], block.seal is not None
        self._marker, self._like, self._kads = head[:_AT], head[_LIKE], head[FIXED:]
        self._fixed, self._place_of_kads = self.record[:_SUM_OF_HEADER], self.record[FIXED : len(head)]

    def stamp(self, place: Place) -> None:
        """Make the header true of what `iv` and `stored` hold; `iv` is left as it is."""
        record = self.record
        _PLACE.pack_into(record, _AT, *place)
        _SUM.pack_into(record, _SUM_OF_STORED, checksum(self.stored))
        _SUM.pack_into(record, _SUM_OF_HEADER, crc32c(self._kads, crc32c(self._fixed)))

    def holds(self, offset: int, number: int) -> bool:
        """Whether `record` has been filled with a whole, undamaged record of this kind that belongs there.

        Stored bytes that are encrypted are not looked at: their tag will tell, and more surely.
        """
        marker, at, there, like, check, check_header = _LAYOUT.unpack_from(self.record)
        return (
            at == offset
            and there == number
            and like == self._like
            and marker == self._marker
            and self._place_of_kads == self._kads
            and check_header == crc32c(self._kads, crc32c(self._fixed))
            and (self.encrypted or check == checksum(self.stored))
        )

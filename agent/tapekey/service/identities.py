"""Who is served by whom: two workers that find themselves at one drive, or at two of one name, are refused."""

import threading

from tapekey.errors import DriveUnknown


class Identities:
    """Serial numbers and NAAs that are taken, by the place of who took them. Held for a moment only."""

    def __init__(self) -> None:
        self._taken: dict[str, tuple[str, bytes]] = {}
        self._turn = threading.Lock()

    def take(self, serial: str, naa: bytes, where: str) -> None:
        """Take a drive's names. DriveUnknown: somebody at another place has one of them."""
        with self._turn:
            for place, (other, other_naa) in self._taken.items():
                if place != where and (other == serial or (naa and other_naa == naa)):
                    raise DriveUnknown(
                        f"the drive at {where} is not unique",
                        why=f"{place} goes by serial number {other} and NAA {other_naa.hex() or 'none'} too",
                        mend="name it once, or take one of them away",
                    )
            self._taken[where] = (serial, naa)

    def give_back(self, where: str) -> None:
        """Nobody serves it there any more."""
        with self._turn:
            self._taken.pop(where, None)

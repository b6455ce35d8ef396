"""Data encryption parameters as the reference's section 6 has them: sets, scopes, locks, the key instance counter."""

from dataclasses import dataclass, field, replace
from typing import Final

from tests.model.outcome import Stopped

PUBLIC, LOCAL, ALL = 0, 1, 2
DISABLE: Final = 0
ENCRYPT: Final = 2
DECRYPT, MIXED = 2, 3

CHANGED_BY_NEXUS: Final = (0x2A, 0x11)
CHANGED_BY_EVENT: Final = (0x2A, 0x12)


@dataclass(frozen=True, slots=True)
class Set:
    """One set of parameters."""

    scope: int = PUBLIC
    creator: str = ""
    counter: int = 0
    encryption: int = DISABLE
    decryption: int = DISABLE
    key: bytes | None = None
    kads: int = 0
    ckod: bool = False


@dataclass(slots=True)
class Side:
    """What is kept for each nexus."""

    scope: int = PUBLIC
    locked_at: int | None = None
    registered: bool = False


@dataclass(slots=True)
class Keys:
    """All sets, and who uses which. `told` collects unit attentions as (nexus, code)."""

    counter: int = 0
    shared: Set = Set()
    local: dict[str, Set] = field(default_factory=dict)
    sides: dict[str, Side] = field(default_factory=dict)
    told: list[tuple[str, tuple[int, int]]] = field(default_factory=list)

    def side(self, nexus: str) -> Side:
        return self.sides.setdefault(nexus, Side())

    def used_by(self, nexus: str) -> Set:
        return self.local[nexus] if self.side(nexus).scope == LOCAL else self.shared

    def check_lock(self, nexus: str) -> None:
        """6.3: a lock on a set that is not what it was stops media access."""
        locked = self.side(nexus).locked_at
        if locked is not None and locked != self.used_by(nexus).counter:
            raise Stopped("7/2A/13")

    def set(self, nexus: str, page: bytes, *, mounted: bool, index: int) -> None:
        """Set Data Encryption (3.2, 3.3): checked as a whole, then established."""
        scope, lock, ckod = page[4] >> 5, page[4] & 1, bool(page[5] & 4)
        if scope > ALL:
            raise Stopped("5/26/00")
        side = self.side(nexus)
        if scope == PUBLIC:
            self.local.pop(nexus, None)
            side.scope = PUBLIC
        else:
            self._establish(nexus, self._checked(page, ckod=ckod, mounted=mounted, index=index), scope)
        side.registered = True
        side.locked_at = self.used_by(nexus).counter if lock else None

    def _checked(self, page: bytes, *, ckod: bool, mounted: bool, index: int) -> Set:
        encryption, decryption, length = page[6], page[7], int.from_bytes(page[18:20], "big")
        key, kads = page[20 : 20 + length], page[20 + length :]
        if encryption not in (DISABLE, ENCRYPT) or decryption not in (DISABLE, DECRYPT, MIXED):
            raise Stopped("5/26/00")
        if ckod and not mounted:
            raise Stopped("5/26/00")
        if encryption == DISABLE and decryption == DISABLE:
            return Set(ckod=ckod)
        if page[8] != index or length != 32 or (kads and encryption == DISABLE):
            raise Stopped("5/26/00")
        return Set(encryption=encryption, decryption=decryption, key=key, kads=max(len(kads) - 4, 0), ckod=ckod)

    def _establish(self, nexus: str, made: Set, scope: int) -> None:
        self.counter += 1
        made = replace(made, scope=scope, creator=nexus, counter=self.counter)
        self.side(nexus).scope = scope
        if scope == LOCAL:
            self.local[nexus] = made
            return
        self.local.pop(nexus, None)
        self.shared = made
        for other, side in self.sides.items():
            if other != nexus and side.scope != LOCAL:
                side.scope = PUBLIC
                self._tell(other, CHANGED_BY_NEXUS)

    def demounted(self) -> None:
        """6.4: sets with CKOD go with the volume, the others stay for the next one."""
        for made in [self.shared, *self.local.values()]:
            if made.ckod:
                self._release(made)

    def _release(self, made: Set) -> None:
        users = [nexus for nexus in self.sides if self.used_by(nexus) is made]
        self.counter += 1
        if made is self.shared:
            self.shared = Set(counter=self.counter)
        else:
            del self.local[made.creator]
        for nexus in users:
            self.side(nexus).scope = PUBLIC
            self._tell(nexus, CHANGED_BY_EVENT)

    def _tell(self, nexus: str, attention: tuple[int, int]) -> None:
        if self.side(nexus).registered:
            self.told.append((nexus, attention))

    def opened(self, nexus: str, key: bytes | None, left: int) -> None:
        """6.5: whether this nexus may read a block written under `key`; the residual goes with the refusal."""
        used = self.used_by(nexus)
        if key is None:
            if used.decryption == DECRYPT:
                raise Stopped("7/74/02", information=left)
        elif used.decryption == DISABLE:
            raise Stopped("7/74/01", information=left)
        elif used.key != key:
            raise Stopped("7/74/03", information=left)

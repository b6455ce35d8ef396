"""The brief envelope: one recipient, small enough for key-associated data."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class KadRoom:
    """Bytes of key-associated data that a drive stores beside every block, from its capabilities page."""

    authenticated: int
    unauthenticated: int

    @property
    def total(self) -> int:
        return self.authenticated + self.unauthenticated

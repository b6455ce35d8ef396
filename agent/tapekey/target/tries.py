"""How often a wrong key was tried: some drives take no key any more after ten (reference 5.1, 26/10)."""

from dataclasses import dataclass


@dataclass(slots=True)
class Tries:
    """Consecutive pairs of a new key and a read that failed under it."""

    wrong: int = 0
    _counted: bool = False

    def new_key(self) -> None:
        """A key was set: its first failed read counts."""
        self._counted = False

    def failed(self) -> None:
        """A read failed under the present key; one key counts once."""
        if not self._counted:
            self.wrong += 1
            self._counted = True

    def succeeded(self) -> None:
        self.wrong = 0

    def forget(self) -> None:
        """Reload or power cycle."""
        self.wrong, self._counted = 0, False

    def exhausted(self, limit: int | None) -> bool:
        return limit is not None and self.wrong >= limit

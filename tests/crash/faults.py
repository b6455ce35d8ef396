"""Three faults to plant in the process that is going to crash: what the inquest must find if it is worth anything."""

from collections.abc import Callable
from typing import Any, Final

import pytest

from tapekey.keys.data_key import KeyId
from tapekey.keystore import data_keys, database
from tapekey.manager.local import LocalManager
from tapekey.manager.questions import KeyMaterial, Mount
from tapekey.target.medium import Tape

Plant = Callable[[pytest.MonkeyPatch], None]


def _released_before_commit(patch: pytest.MonkeyPatch) -> None:
    """The key is handed out at once, and its release goes on record with the installation."""
    release, installed = LocalManager.release, LocalManager.installed
    owed: list[tuple[KeyId, dict[str, Any]]] = []

    def early(manager: LocalManager, key_id: KeyId, **facts: Any) -> KeyMaterial:
        owed.append((key_id, facts))
        with manager.store.reading() as transaction:
            key = data_keys.open_key(transaction, data_keys.find(transaction, key_id))
        return KeyMaterial(key_id, key.secret)

    def late(manager: LocalManager, mount: Mount) -> None:
        for key_id, facts in owed:
            release(manager, key_id, **facts)
        owed.clear()
        installed(manager, mount)

    patch.setattr(LocalManager, "release", early)
    patch.setattr(LocalManager, "installed", late)


def _store_does_not_sync(patch: pytest.MonkeyPatch) -> None:
    """SQLite with synchronous=OFF."""
    off = tuple((name, "OFF", 0) if name == "synchronous" else (name, *rest) for name, *rest in database.PRAGMAS)
    patch.setattr(database, "PRAGMAS", off)


def _filemark_before_sync(patch: pytest.MonkeyPatch) -> None:
    """The drive answers WRITE FILEMARKS without waiting for the disk."""
    patch.setattr(Tape, "sync", lambda tape: None)


PLANTS: Final[dict[str, Plant]] = {
    "released before commit": _released_before_commit,
    "store does not sync": _store_does_not_sync,
    "filemark before sync": _filemark_before_sync,
}

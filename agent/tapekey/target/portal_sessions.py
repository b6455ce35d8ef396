"""The sessions of a portal: one per initiator port, a thread each, so many and no more.

An initiator that logs in again under the same name and ISID takes the place of its older session (RFC 7143 section
6.3.5): the new thread first sees the old one out, so that the units hear of the lost nexus before anything new.
"""

import logging
import threading
import time
from dataclasses import dataclass, field
from typing import Final

from tapekey.target.connection import Connection

MOST: Final = 64
FAREWELL: Final = 5.0  # seconds for goodbyes when the portal stops
PATIENCE: Final = 60.0  # seconds in which a replaced session must have ended

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Sessions:
    """Who is logged in, by the name of the nexus."""

    _lock: threading.Lock = field(default_factory=threading.Lock)
    _living: dict[str, Connection] = field(default_factory=dict)
    _threads: dict[threading.Thread, Connection] = field(default_factory=dict)

    def handle(self, nexus: str) -> int | None:
        """The handle (TSIH) of the session of that nexus; 0 if there is none, None if there is no room for one."""
        with self._lock:
            living = self._living.get(nexus)
            return living.tsih if living else 0 if len(self._threads) < MOST else None

    def handles(self) -> set[int]:
        """All handles in use."""
        with self._lock:
            return {connection.tsih for connection in self._threads.values()}

    def begin(self, connection: Connection) -> bool:
        """Give the session its thread, after that of the session it replaces; False if there are too many."""
        with self._lock:
            before = self._living.get(connection.nexus)
            if len(self._threads) - (before is not None) >= MOST:
                return False
            elder = next((thread for thread, held in self._threads.items() if held is before), None)
            thread = threading.Thread(target=self._live, args=(connection, before, elder), daemon=True)
            thread.name = f"iscsi {connection.nexus}"
            self._living[connection.nexus] = connection
            self._threads[thread] = connection
        thread.start()
        return True

    def _live(self, connection: Connection, before: Connection | None, elder: threading.Thread | None) -> None:
        if before is not None and elder is not None:
            before.drop("the initiator logged in again")
            elder.join(PATIENCE)
            if elder.is_alive():
                connection.drop("the session before it does not end")
        try:
            connection.run()
        finally:
            with self._lock:
                self._threads.pop(threading.current_thread(), None)
                if self._living.get(connection.nexus) is connection:
                    del self._living[connection.nexus]

    def relieve(self, now: float) -> None:
        """Read for those whose thread has been with a unit for long."""
        with self._lock:
            connections = list(self._threads.values())
        for connection in connections:
            connection.relieve(now)

    def stop(self) -> None:
        """Let every session say goodbye, then end it; wait so long and no longer."""
        with self._lock:
            threads = dict(self._threads)
        for connection in threads.values():
            connection.ask_to_stop()
        until = time.monotonic() + FAREWELL
        for thread in threads:
            thread.join(max(0.0, until - time.monotonic()))
        for thread, connection in threads.items():
            if thread.is_alive():
                connection.drop("the target stops")
        for thread, connection in threads.items():
            thread.join(FAREWELL)
            if thread.is_alive():
                log.warning("%s: its command goes on after the stop", connection.nexus)

"""Unit attentions: what a nexus is told once, before its next command executes.

One of each kind stands per nexus; they are reported in the order of the kinds below: reset, medium, mode, the rest.
"""

from enum import Enum


class Attention(Enum):
    """ASC and ASCQ of each kind, in the order in which they are reported."""

    POWER_ON = (0x29, 0x00)
    DEVICE_RESET = (0x29, 0x03)
    NEXUS_LOSS = (0x29, 0x07)
    NOT_READY_TO_READY = (0x28, 0x00)
    IMPORT_EXPORT_ACCESSED = (0x28, 0x01)
    MODE_CHANGED = (0x2A, 0x01)
    LOG_CHANGED = (0x2A, 0x02)
    RESERVATIONS_PREEMPTED = (0x2A, 0x03)
    RESERVATIONS_RELEASED = (0x2A, 0x04)
    REGISTRATIONS_PREEMPTED = (0x2A, 0x05)
    TIMESTAMP_CHANGED = (0x2A, 0x10)
    PARAMETERS_CHANGED_BY_NEXUS = (0x2A, 0x11)
    PARAMETERS_CHANGED_BY_EVENT = (0x2A, 0x12)

    @property
    def needs_registration(self) -> bool:
        """Told only to nexuses that have spoken security protocol 20h."""
        return self in (Attention.PARAMETERS_CHANGED_BY_NEXUS, Attention.PARAMETERS_CHANGED_BY_EVENT)


ORDER = {attention: place for place, attention in enumerate(Attention)}


def first(pending: set[Attention]) -> Attention | None:
    """The attention to report next."""
    return min(pending, key=ORDER.__getitem__, default=None) if pending else None

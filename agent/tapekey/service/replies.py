"""What an asker is told, in plain types."""

from collections.abc import Mapping

from tapekey.mount.unload import Unloaded
from tapekey.service.view import DriveView, State

Reply = Mapping[str, object]


def of_ready(view: DriveView) -> Reply:
    """Software may open the drive: for what, and under which guard."""
    phase = "closed" if view.state is State.READY_TO_READ and not view.generation else view.state.value
    return of_view(view, phase=phase)


def of_view(view: DriveView, phase: str = "") -> Reply:
    """Where the drive stands."""
    return {
        "phase": phase or view.state.value,
        "drive": view.serial,
        "cartridge": view.cartridge,
        "volser": view.volser,
        "encrypted": view.encrypted,
        "key": view.key or None,
        "why": view.why,
        "guards": list(view.guards),
    }


def of_unload(done: Unloaded) -> Reply:
    """The drive's account, in the words of `tapekey unload --json`."""
    told = done.account
    return {
        "drive": done.drive,
        "cartridge": done.cartridge or None,
        "accounted": told is not None,
        "first_encrypted": told.first_encrypted if told else None,
        "first_clear_after": told.first_clear_after if told else None,
        "written_mib": told.written_mib if told else None,
        "remarks": list(told.remarks) if told else [],
        "superseded_envelopes_removed": done.removed,
        "cleared": done.cleared,
    }

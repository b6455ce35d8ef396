"""I_T nexus loss: what ends when an initiator's session does (SAM, SPC-2, SPC-4; reference 5.2, 6.4).

Persistent reservations stay. That a LOCAL set of encryption parameters goes with its nexus is UNV.
"""

from tapekey.target.state import Drive


def lose(drive: Drive, name: str) -> None:
    """The nexus of that name is gone; its record is dropped, so that the memory of the drive stays bounded."""
    nexus = drive.nexuses.find(name)
    if nexus is None:
        return
    if drive.reservations.simple == name:
        drive.reservations.simple = ""
        drive.parameters.reservation_lost(name, drive.nexuses, preempted=False)
    drive.parameters.share(nexus)
    drive.nexuses.lose(name)

"""Medium Partition, mode page 11h: what it tells of the volume, and what MODE SELECT plans with it (reference 11.3).

Nothing changes on the tape until FORMAT MEDIUM, so what MODE SENSE tells is always the volume as it is.
"""

from tapekey.scsi.mode_page import MediumPartition
from tapekey.target.partitioning import NotPossible, Plan, most_additional, size_fields, sizes_of, told
from tapekey.target.refusal import invalid_parameter
from tapekey.target.state import Drive
from tapekey.wire.layout import decode, size_of

RECOGNITION = 5  # bytes that a client sends as it read them, or not at all
SPECIAL = 6


def live(drive: Drive, image: bytes) -> bytes:
    """The page with the volume's partitions in it."""
    volume = drive.mounted_cartridge
    if volume is None:
        return image
    facts = drive.personality.generation
    most = most_additional(facts, volume.identity.generation.name)
    power, sizes = told([tape.capacity for tape in volume.tapes], size_fields(facts))
    units = bytes([image[SPECIAL] & 0xF0 | power])
    return image[:2] + bytes([most, len(volume.tapes) - 1]) + image[4:SPECIAL] + units + image[7:8] + sizes


def planned(drive: Drive, image: bytes, at: int) -> Plan:
    """The partitions that the page asks for; the page may have as many sizes as it likes to send, up to the drive's."""
    volume = drive.require_medium()
    fixed, fields = size_of(MediumPartition), size_fields(drive.personality.generation)
    if not fixed <= len(image) <= fixed + 2 * fields or len(image) % 2:
        raise invalid_parameter(at + 1)
    page = decode(MediumPartition, image)
    most = most_additional(drive.personality.generation, volume.identity.generation.name)
    try:
        sizes = sizes_of(page, sum(tape.capacity for tape in volume.tapes), most)
    except NotPossible as error:
        raise invalid_parameter(at + error.byte, error.bit) from error
    return Plan(volume, sizes)

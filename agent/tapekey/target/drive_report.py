"""Commands that only tell or are told something: block limits, densities and media, the clock."""

from tapekey.exchange import Command
from tapekey.scsi import density, media, timestamp
from tapekey.scsi.density import Density
from tapekey.target import modes
from tapekey.target.medium_kinds import GENERATIONS, MEGABYTE, Generation
from tapekey.target.nexus import Nexus
from tapekey.target.refusal import invalid_cdb, invalid_parameter, list_length
from tapekey.target.state import Drive
from tapekey.target.unit_attention import Attention
from tapekey.wire.layout import decode, encode, size_of

LAST_OBJECT = (1 << 64) - 1


def read_block_limits(drive: Drive, nexus: Nexus, command: Command) -> bytes:
    """READ BLOCK LIMITS (05h)."""
    cdb = decode(media.ReadBlockLimits, command.cdb)
    if cdb.maximum_object_id:
        return encode(media.ObjectLimits(maximum_object_id=LAST_OBJECT))
    return encode(media.BlockLimits(maximum=drive.personality.max_block, minimum=1))


def report_density(drive: Drive, nexus: Nexus, command: Command) -> bytes:
    """REPORT DENSITY SUPPORT (44h)."""
    cdb = decode(density.ReportDensity, command.cdb)
    if cdb.of_medium:
        kinds = [drive.require_medium().identity.generation]
    else:
        kinds = [GENERATIONS[name] for name in drive.personality.reads if name in GENERATIONS]
    ordered = sorted(kinds, key=lambda kind: kind.density)
    if cdb.medium_type:
        return density.encode_medium_types(_medium_type(drive, kind) for kind in ordered)[: cdb.room]
    return density.encode_densities(_descriptor(drive, kind) for kind in ordered)[: cdb.room]


def _medium_type(drive: Drive, kind: Generation) -> density.MediumTypeDescriptor:
    plain, _ = density.MEDIUM_TYPES.get(Density(kind.density), (0, None))
    return density.MediumTypeDescriptor(
        medium_type=plain if drive.personality.ibm_pages else 0,
        densities=1,
        density=Density(kind.density),
        width=kind.width,
        length=kind.length,
        organization=kind.organization,
        name=kind.name.upper(),
        description="virtual " + kind.name.upper(),
    )


def _descriptor(drive: Drive, kind: Generation) -> density.DensityDescriptor:
    return density.DensityDescriptor(
        primary=Density(kind.density),
        secondary=Density(kind.density),
        writable=kind.name in drive.personality.writes,
        default=kind.name == drive.personality.generation,
        width=kind.width,
        tracks=1,
        capacity=kind.native // MEGABYTE,
        organization=kind.organization,
        name=kind.name.upper(),
        description="virtual " + kind.name.upper(),
    )


def report_timestamp(drive: Drive, nexus: Nexus, command: Command) -> bytes:
    """REPORT TIMESTAMP (A3h/0Fh)."""
    cdb = decode(timestamp.ReportTimestamp, command.cdb)
    origin = timestamp.Origin.SET if drive.clock_set else timestamp.Origin.POWER_ON
    return encode(timestamp.Timestamp(origin=origin, milliseconds=_now(drive) + drive.clock_offset))[: cdb.room]


def _now(drive: Drive) -> int:
    return int((drive.clock() - drive.powered_at) * 1000)


def set_timestamp(drive: Drive, nexus: Nexus, command: Command) -> None:
    """SET TIMESTAMP (A4h/0Fh); SCSIP of mode page 0Ah/01h must allow it."""
    cdb = decode(timestamp.SetTimestamp, command.cdb)
    if not drive.modes.bit(drive.personality, modes.CONTROL_EXTENSION, 4, modes.TIMESTAMP_CHANGEABLE):
        raise invalid_cdb(1, 4)
    if not cdb.length:
        return
    if cdb.length < size_of(timestamp.NewTimestamp):
        raise list_length()
    wanted = decode(timestamp.NewTimestamp, bytes(drive.plain_out(command, cdb.length))).milliseconds
    if wanted >> 40 > 0xF0:
        raise invalid_parameter(4)
    drive.clock_offset, drive.clock_set = wanted - _now(drive), True
    drive.nexuses.tell_others(nexus, Attention.TIMESTAMP_CHANGED)

"""The state of a powered drive, and what every command family asks of it. The commands themselves are elsewhere."""

from collections.abc import Callable
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric import rsa

from tapekey.errors import MediumDamaged
from tapekey.exchange import Command
from tapekey.scsi.attribute import Attribute
from tapekey.scsi.sense import SenseKey
from tapekey.scsi.tape_alert import TapeAlert
from tapekey.secret import Secret
from tapekey.target import alerts, cleaning, volume_protection, wrapping
from tapekey.target.buffers import Buffers
from tapekey.target.cartridge import Cartridge
from tapekey.target.compress import Compressor
from tapekey.target.medium import Tape
from tapekey.target.medium_index import NONE, UNKNOWN
from tapekey.target.modes import Modes
from tapekey.target.nexus import Nexus, Nexuses
from tapekey.target.owed import Owed
from tapekey.target.parameters import ParameterSets
from tapekey.target.personality import Algorithm, Management, Personality
from tapekey.target.refusal import Refusal, illegal, invalid_cdb, not_ready, sense
from tapekey.target.reservations import Reservations
from tapekey.target.storing import Storing
from tapekey.target.tray import NEXT, Move, Place
from tapekey.target.tries import Tries
from tapekey.target.unit_attention import Attention
from tapekey.target.volume_account import Mount, VolumeAccount, account_of

LARGEST_RATIO = 0xFFFD  # two bytes, of which the two last values mean that there is no number
VOLUMES = 3  # that log page 17h tells of
POLICY_VIOLATION = TapeAlert.ENCRYPTION_POLICY_VIOLATION


def ratio(outside: int, stored: int) -> int:
    """How much less is stored than the host sees, a hundredfold; 100 where nothing was stored yet."""
    return min(outside * 100 // stored, LARGEST_RATIO) if stored > 0 else 100


@dataclass(slots=True)
class Activity:
    """What log pages count: this mount's bytes, and the drive's own life."""

    loads: int = 0
    host_written: int = 0
    host_read: int = 0
    medium_written: int = 0
    medium_read: int = 0
    cleanings: int = 0
    hard_read_errors: int = 0
    hard_write_errors: int = 0
    errors_since_cleaning: int = 0
    loads_since_cleaning: int = 0

    at_mount: tuple[int, ...] = (0,) * 6

    def _all(self) -> tuple[int, ...]:
        return (
            self.host_written,
            self.medium_written,
            self.host_read,
            self.medium_read,
            self.hard_write_errors,
            self.hard_read_errors,
        )

    def begin_mount(self) -> None:
        """From here on counts the mount that `mount` tells of."""
        self.at_mount = self._all()

    def mount(self) -> Mount:
        """What was counted since the volume was mounted."""
        from_host, to_medium, to_host, from_medium, *errors = (
            now - then for now, then in zip(self._all(), self.at_mount, strict=True)
        )
        return Mount(ratio(from_host, to_medium), ratio(to_host, from_medium), *errors)

    def wrote(self, from_host: int, stored: int) -> None:
        self.host_written += from_host
        self.medium_written += stored

    def read(self, to_host: int, stored: int) -> None:
        self.host_read += to_host
        self.medium_read += stored


@dataclass(slots=True)
class Drive:
    """A powered drive. Everything here except `modes.saved` and the cartridge is gone with the power."""

    personality: Personality
    serial: str
    naa: bytes
    modes: Modes
    clock: Callable[[], float]
    wrapping_key: rsa.RSAPrivateKey | None = None
    place: Place = Place.EMPTY
    cartridge: Cartridge | None = None
    last_attributes: tuple[Attribute, ...] = ()  # of the volume mounted last, for drives that tell them still
    past_volumes: tuple[VolumeAccount, ...] = ()  # of those unloaded last, the latest first, for log page 17h
    nexuses: Nexuses = field(default_factory=Nexuses)
    parameters: ParameterSets = field(default_factory=ParameterSets)
    reservations: Reservations = field(default_factory=Reservations)
    tries: Tries = field(default_factory=Tries)
    activity: Activity = field(default_factory=Activity)
    powered_at: float = 0.0
    ready_at: float = 0.0  # when the load or unload in progress ends
    pause: Callable[[float], None] = lambda _: None  # lets others in until this time; by itself the drive never waits
    library: str = ""  # the serial number of the library around it
    element: int | None = None  # its address there
    buffers: Buffers = field(default_factory=Buffers)
    volume_protection: int = 0  # ASOCWP, PERSWP and PRMWP of the mounted volume
    compressor: Compressor = field(default_factory=Compressor)
    owed: Owed = field(default_factory=Owed)
    storing: Storing | None = None  # how the last block was stored, for those that follow
    permission: object = None  # what ALLOW OVERWRITE has permitted
    loader: str = ""
    announced: bool = True  # the load in progress ends with a unit attention
    looked_ahead: bool = False  # a read has tried the block at the present position
    clock_offset: int = 0  # of REPORT TIMESTAMP, in milliseconds
    clock_set: bool = False
    taken: int = 0  # bytes of data-out that the present command has asked for
    _kept: bytearray = field(default_factory=bytearray, repr=False)

    # --- the cartridge -------------------------------------------------------------------------------------

    @property
    def mounted(self) -> bool:
        return self.place is Place.MOUNTED

    @property
    def mounted_cartridge(self) -> Cartridge | None:
        return self.cartridge if self.mounted else None

    @property
    def tape(self) -> Tape:
        """The partition under the head; only while a volume is mounted."""
        return self.require_cartridge().tape

    @property
    def partition(self) -> int:
        """The number of the partition under the head; `require_cartridge().switch(n)` brings another there."""
        return self.require_cartridge().partition

    def require_cartridge(self) -> Cartridge:
        """The mounted cartridge; NOT READY without one."""
        if self.cartridge is not None and self.place is Place.MOUNTED:
            return self.cartridge
        if self.place is Place.LOADING and alerts.is_cleaning(self.cartridge):
            raise not_ready(0x30, 0x03)
        raise {
            Place.LOADING: not_ready(0x04, 0x01),
            Place.HELD: not_ready(0x04, 0x02),
        }.get(self.place, not_ready(0x3A, 0x00))

    def require_medium(self) -> Cartridge:
        """The same, for what goes to the tape: 3/30/00 if the drive does not know the medium's format."""
        cartridge = self.require_cartridge()
        if cartridge.identity.generation.name not in self.personality.reads:
            raise Refusal(sense(SenseKey.MEDIUM_ERROR, 0x30, 0x00))
        return cartridge

    def require_threaded(self) -> None:
        """3/53/00 if the load that was asked for has not ended with a threaded tape."""
        if self.place is not Place.MOUNTED:
            raise Refusal(sense(SenseKey.MEDIUM_ERROR, 0x53, 0x00))

    def move(self, move: Move) -> None:
        """Follow the table of the tray; what it lacks is refused as a command sequence error."""
        place = NEXT.get((self.place, move))
        if place is None:
            raise illegal(0x2C, 0x00)
        self.place = place

    def insert(self, cartridge: Cartridge, *, announced: bool = True) -> None:
        """Take a cartridge in: drives draw it in and load it by themselves."""
        self.move(Move.INSERT)
        self.cartridge = cartridge
        self.start_loading("", announced=announced)

    def start_loading(self, loader: str, *, announced: bool = True) -> None:
        self.loader, self.announced = loader, announced
        alerts.inserted(self)
        cleans = alerts.is_cleaning(self.cartridge)
        if cleans:
            self.nexuses.raise_alert(TapeAlert.CLEANING_MEDIA)
        self.ready_at = self.clock() + (self.personality.cleaning_time if cleans else self.personality.load_time)
        self.wake()

    def wake(self, *, now: bool = False) -> None:
        """Finish a load whose time has come, or which the host waits for."""
        if self.place is Place.LOADING and self.cartridge is not None and (now or self.clock() >= self.ready_at):
            if alerts.is_cleaning(self.cartridge):
                self._clean(self.cartridge)
                return
            try:
                self.cartridge.load(self.personality.vendor, self.serial)
            except MediumDamaged:
                self.move(Move.FAILED)
                alerts.not_threaded(self)
            else:
                self.move(Move.THREADED)
                self._mounted(self.cartridge)

    def _clean(self, cartridge: Cartridge) -> None:
        """The cleaning is done, or cannot be; either way the cartridge comes out."""
        if cleaning.use(cartridge, self.personality.vendor, self.serial):
            alerts.cleaned(self)
        else:
            self.nexuses.raise_alert(TapeAlert.EXPIRED_CLEANING_MEDIA)
        self.move(Move.FAILED)

    @property
    def lets_go(self) -> bool:
        """Whether a changer's gripper reaches what is in the drive, or could put something in."""
        return self.place in (Place.EMPTY, Place.MOUTH) and self.clock() >= self.ready_at

    def _mounted(self, cartridge: Cartridge) -> None:
        self.activity.loads += 1
        self.activity.begin_mount()
        self.looked_ahead, self.permission = False, None
        self.volume_protection = volume_protection.of_cartridge(cartridge.directory)
        self.tries.forget()
        alerts.mounted(self, cartridge)
        for nexus in self.nexuses.all():
            if self.announced and nexus.name != self.loader:
                nexus.tell(Attention.NOT_READY_TO_READY)

    def demount(self, move: Move) -> None:
        """Unthread: what is buffered goes to the tape, keys marked for it are cleared."""
        was_mounted, cartridge = self.mounted, self.cartridge
        self.move(move)
        if was_mounted and cartridge is not None:
            self._remember(cartridge)
            try:
                cartridge.unload()
            finally:
                self.volume_protection, self.permission = 0, None
                self.parameters.demounted(self.nexuses)
                self.tries.forget()

    def _remember(self, cartridge: Cartridge) -> None:
        """Keep what the drive tells of a volume that has gone."""
        self.past_volumes = (account_of(cartridge, self.activity.mount()), *self.past_volumes)[:VOLUMES]
        try:
            self.last_attributes = cartridge.attributes(tape_alert=alerts.number(self.nexuses.alerts))
        except MediumDamaged:
            self.last_attributes = ()

    def take_out(self) -> None:
        """Someone takes the cartridge: it is unloaded first if need be."""
        if self.place not in (Place.MOUTH, Place.EMPTY):
            self.wake(now=True)
            self.demount(Move.UNLOAD)
        if self.place is Place.MOUTH:
            self.move(Move.TAKE_OUT)
        if self.cartridge is not None:
            self.cartridge.close()
        self.cartridge = None

    def reset(self) -> None:
        """Hard reset: what the power would take, save the volume, which stays mounted at its beginning."""
        self.parameters.wipe()
        self.reservations.simple = ""
        self.modes.power_on()
        self.permission = None
        self.tries.forget()
        self.nexuses.reset()
        if self.mounted:
            self.require_cartridge().switch(0).sync()
            self.tape.rewind()

    # --- encryption ----------------------------------------------------------------------------------------

    def algorithm(self, index: int) -> Algorithm | None:
        return next((row for row in self.personality.algorithms if row.index == index), None)

    def require_configured(self) -> None:
        """5/24/00 where the protocol is not spoken until the drive is configured for it."""
        if self.personality.unconfigured_refuses_protocol and self.personality.management is not Management.APPLICATION:
            raise invalid_cdb(1)

    def require_application_management(self) -> None:
        """5/74/21 where somebody else holds the parameters."""
        if self.personality.management is not Management.APPLICATION:
            raise illegal(0x74, 0x21)

    def index_of(self, code: int) -> int:
        """The index by which this drive knows a security algorithm on the mounted volume; 0 if it does not."""
        rows = [row for row in self.personality.algorithms if code in (row.code, row.code_mounted)]
        volume = self.mounted_cartridge
        fitting = [row for row in rows if volume is not None and volume.identity.generation.name in row.media]
        return (fitting or rows)[-1].index if rows else 0

    @property
    def wrong_keys_exhausted(self) -> bool:
        return self.tries.exhausted(self.personality.wrong_key_limit)

    def unwrap(self, key_field: Secret) -> Secret | None:
        """Open a key that was wrapped for this drive; None if it was not."""
        return wrapping.unwrap(self.wrapping_key, key_field) if self.wrapping_key is not None else None

    def volume_has_encrypted_blocks(self) -> bool:
        """VCELB: known to hold at least one encrypted block."""
        return self.mounted and self.tape.first_encrypted not in (NONE, UNKNOWN)

    def check_lock(self, nexus: Nexus, *, writing: bool = False) -> None:
        """7/2A/13 if the nexus locked its parameters and they are not what they were; HPE looks at WRITE only."""
        if self.personality.lock_guards_write_only and not writing:
            return
        if nexus.locked_at is not None and nexus.locked_at != self.parameters.used_by(nexus).counter:
            raise Refusal(sense(SenseKey.DATA_PROTECT, 0x2A, 0x13))

    # --- data of a command ---------------------------------------------------------------------------------

    def data_out(self, command: Command, length: int) -> Secret:
        """The parameter list of a command, as long as its CDB says; less than that is a failed transfer."""
        out = command.data_out
        if len(out) < length:
            raise Refusal(sense(SenseKey.ABORTED_COMMAND, 0x4B, 0x00))
        self.taken = length
        if isinstance(out, Secret):
            with out.reveal() as view:
                return Secret(view[:length])
        return Secret(memoryview(out)[:length])

    def lend(self, size: int) -> memoryview:
        """Room for one block being made, until the next call: fresh room for each would cost its page faults."""
        if len(self._kept) < size:
            self._kept = bytearray(size)
        return memoryview(self._kept)[:size]

    def plain_out(self, command: Command, length: int) -> bytes | bytearray | memoryview:
        """The same, where it is no secret."""
        out = command.data_out
        view = out.reveal() if isinstance(out, Secret) else out
        if len(view) < length:
            raise Refusal(sense(SenseKey.ABORTED_COMMAND, 0x4B, 0x00))
        self.taken = length
        return view if len(view) == length else memoryview(view)[:length]

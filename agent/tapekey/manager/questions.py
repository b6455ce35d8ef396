"""What a mount asks a key manager, and what it is answered: the seam between `mount` and any manager.

The embedded manager (`local`) and, later, a remote one answer the same protocol. Order matters and is enforced
by the answerer: `prepare` commits a key durably, `release` hands it out only once it is safe, and every later
step is recorded under the mount's generation, so that nothing late acts on the next cartridge.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from tapekey.keys.brief import KadRoom
from tapekey.keys.data_key import KeyId
from tapekey.policy.facts import CartridgeFacts, DriveFacts, Intent, KeyFacts, Rule
from tapekey.secret import Secret


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was found on a cartridge; every byte of it is hostile input."""

    medium_serial: str
    volsers: tuple[str, ...] = ()  # each source's word: changer tag, MAM 0806h
    envelopes: tuple[bytes, ...] = ()  # values of MAM attributes that start with our magic
    kad: bytes = b""  # A-KAD ‖ U-KAD of an encrypted block; empty: none seen


@dataclass(frozen=True, slots=True)
class Known:
    """What the manager makes of the evidence."""

    facts: KeyFacts
    key_id: KeyId | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """A new key is wanted for this medium."""

    medium_serial: str
    volser: str
    rule: Rule
    mam_room: int  # bytes that one attribute value may have; 0: the cartridge memory takes no envelope
    kad_room: KadRoom
    decided_on: Known | None = None  # what the decision was made from; if it is so no longer, no key is made
    parked: KeyId | None = None  # the key that stands parked in the drive: it may become the cartridge's


@dataclass(frozen=True, slots=True)
class Prepared:
    """A committed key, without the key: what has to be put on the cartridge before it may be released."""

    key_id: KeyId
    envelope: bytes  # for the cartridge memory; empty: nothing goes there
    kad: bytes  # for the drive, A-KAD first
    carried: tuple[str, ...]  # recipients whose stanza the envelope has
    left_out: tuple[str, ...]
    superseded: tuple[bytes, ...] = ()  # hashes (SHA-256) of older envelopes of this medium that are on record


@dataclass(frozen=True, slots=True)
class WrapTarget:
    """A drive's own public key (page 0031h, RSA) and the OAEP label that it demands."""

    modulus: int
    exponent: int
    label: bytes


@dataclass(frozen=True, slots=True)
class KeyMaterial:
    """A data key for one drive: in clear, or wrapped for it. Exactly one of the two is set."""

    key_id: KeyId
    plain: Secret | None = None
    wrapped: bytes | None = None


@dataclass(frozen=True, slots=True)
class ReadingKey:
    material: KeyMaterial
    foreign: bool  # unwrapped from an envelope, not taken from a record


@dataclass(frozen=True, slots=True)
class DriveRecord:
    """An approved drive. `key` is the pinned DER SubjectPublicKeyInfo of page 0031h, if it has one."""

    serial: str
    naa: bytes
    vendor: str
    product: str
    where: str  # URI or sysfs path at approval
    virtual: bool = False
    hands_off: bool = False
    key: bytes = b""


@dataclass(frozen=True, slots=True)
class Mount:
    """One stay of one cartridge in one drive. `generation` is unique and rising per drive."""

    generation: int
    drive_serial: str
    medium_serial: str
    volser: str
    intent: Intent
    key_id: KeyId | None = None
    kad: bytes = b""
    key_instance_counter: int | None = None
    change_reference: bytes = b""  # MAM 0009h after verification
    accounted: bool = False


@dataclass(frozen=True, slots=True)
class Parked:
    """A key that waits in an empty drive. `key_instance_counter` is None while nobody has read it back."""

    key_id: KeyId
    drive_serial: str
    kad: bytes
    key_instance_counter: int | None = None
    medium_serial: str = ""  # whose it has become
    waiting: bool = True  # it may be used again: no cartridge's, and not dropped


@dataclass(frozen=True, slots=True)
class Witness:
    """What a cartridge's volume change reference (MAM 0009h) was; empty: it was not told."""

    medium_serial: str
    drive_serial: str
    moment: str
    reference: bytes = b""
    generation: int = 0


@dataclass(frozen=True, slots=True)
class GuardPage:
    """Mode page 10h/01h as it was before us, as bytes."""

    current: bytes
    saved: bytes


@dataclass(frozen=True, slots=True)
class Account:
    """The drive's account of what a mount did: not proof. None: the drive does not tell."""

    change_reference: bytes = b""
    first_encrypted: int | None = None  # logical object number; -1 none, None unknown
    first_clear_after: int | None = None
    loads: int | None = None
    written_mib: int | None = None
    remarks: tuple[str, ...] = field(default_factory=tuple)


@dataclass(frozen=True, slots=True)
class Sighting:
    """What was seen of a drive and, if there was one, of its cartridge, while nothing was touched.

    `drive` is None of one that nobody approved: no more than its name was asked for.
    """

    drive_serial: str
    medium_serial: str = ""  # empty: no cartridge
    volsers: tuple[str, ...] = ()
    library: str = ""
    pool: str = ""
    drive: DriveFacts | None = None
    cartridge: CartridgeFacts | None = None
    key: KeyFacts | None = None
    owner: str = ""  # whose parameters these may be, if they are somebody else's
    application: str = ""  # the software that the cartridge's memory names
    memory_left: int = 0  # bytes
    seen: str = ""  # when; set when it is kept


class ReadingKeys(Protocol):
    """All that a restore needs: an answerer that opens envelopes."""

    def key_for_reading(self, evidence: Evidence, *, drive: str, wrap: WrapTarget | None) -> ReadingKey:
        """The key of this cartridge. KeyUnavailable: none held here; EnvelopeRefused: not to be believed."""
        ...


class KeyManager(ReadingKeys, Protocol):
    """The whole manager. Every call that changes something is durable when it returns."""

    def known(self, evidence: Evidence) -> Known:
        """Compare a cartridge with the record. Changes nothing."""
        ...

    def rules(self) -> tuple[Rule, ...]:
        """The rules in their order, the default last."""
        ...

    def prepare(self, request: Request) -> Prepared:
        """Make a data key, wrap it for the rule's recipients and commit key, envelope, cartridge, audit line."""
        ...

    def prepared(self, key_id: KeyId) -> Prepared:
        """What has to stand on the cartridge for a key on record."""
        ...

    def release(
        self, key_id: KeyId, *, medium_serial: str, drive: str, witnessed: bytes, wrap: WrapTarget | None
    ) -> KeyMaterial:
        """Hand out a key for writing, or raise NotSafe.

        `witnessed` is the envelope as read back from the cartridge's memory (empty: none there). Only an active or
        prepared key of this medium is released; the release and its audit line are durable before it returns.
        """
        ...

    def drive(self, serial: str) -> DriveRecord | None: ...

    def begin(self, drive_serial: str, medium_serial: str, volser: str, intent: Intent) -> Mount:
        """A new generation for this drive."""
        ...

    def installed(self, mount: Mount) -> None:
        """Record what was installed and verified. Conflict if a newer generation exists."""
        ...

    def current(self, drive_serial: str) -> Mount | None:
        """The newest mount of the drive, accounted or not."""
        ...

    def account(self, mount: Mount, account: Account) -> None:
        """Close the books of a mount: idempotent."""
        ...

    def scratch(self, medium_serial: str, *, by: str) -> None:
        """Declare that what a cartridge holds may be overwritten; the next installation for writing uses it up."""
        ...

    def reissue(self, key_id: KeyId, request: Request) -> Prepared:
        """An envelope for a cartridge's key that has none yet."""
        ...

    def trials(self, drive_serial: str, naa: bytes, firmware: str) -> Mapping[str, str]:
        """The answers of the drive's qualification, by trial; empty: none holds for this firmware."""
        ...

    def approve(self, drive: DriveRecord) -> None:
        """Put a drive on record with its pinned key."""
        ...

    def keep_guard_page(self, drive_serial: str, naa: bytes, page: GuardPage) -> None:
        """Keep what stood in the drive before us; what is kept already stays."""
        ...

    def guard_page(self, drive_serial: str) -> GuardPage | None:
        """What stood in the drive before us, if anything of ours stands there now."""
        ...

    def forget_guard_page(self, drive_serial: str) -> None:
        """It stands in the drive again."""
        ...

    def why_not_parked(self, rule: Rule, kad_room: KadRoom) -> str:
        """Why no key could be parked under this rule; empty: one would be safe."""
        ...

    def park(
        self, drive_serial: str, rule: Rule, kad_room: KadRoom, wrap: WrapTarget | None
    ) -> tuple[Parked, KeyMaterial]:
        """Hand out a key to stand in an empty drive: committed, and safe without any cartridge, or NotSafe."""
        ...

    def park_stands(self, parked: Parked, key_instance_counter: int) -> None:
        """Record that a parked key was read back from its drive."""
        ...

    def parked_under(self, kad: bytes) -> Parked | None:
        """The parked key that these key-associated data were made for, whatever became of it."""
        ...

    def parked_in(self, drive_serial: str) -> Parked | None:
        """The parked key that was read back from this drive and is nobody's yet."""
        ...

    def drop_parked(self, parked: Parked) -> None:
        """Do not use a parked key again; what was written under it can still be read."""
        ...

    def written_under_parked(self, parked: Parked, medium_serial: str, volser: str, *, proved: bool) -> None:
        """Put a parked key on record for a cartridge. `proved`: a block under it was seen, so it may go on under it."""
        ...

    def witness(self, medium_serial: str) -> Witness | None:
        """The newest witness of a cartridge."""
        ...

    def keep_witness(self, witness: Witness) -> Witness | None:
        """Put a witness in place of the older one, which is the answer."""
        ...

    def sighted(self, sighting: Sighting) -> None:
        """Keep what was seen of a drive and a cartridge in place of what was seen of both before."""
        ...

    def note(self, event: str, *, alarm: bool = False, **facts: str | int | None) -> None:
        """An audit line of its own."""
        ...

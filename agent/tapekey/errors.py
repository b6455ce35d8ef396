"""The errors of tapekey: one class per thing that a caller would do differently about.

Every error says what failed, why, and what mends it. This module imports nothing, so that every layer may
raise and catch these types; text for people and exit statuses are made in `cli` alone.
"""


class TapekeyError(Exception):
    """What failed, why, and what to do about it."""

    def __init__(self, what: str, *, why: str = "", mend: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.why = why
        self.mend = mend

    def __str__(self) -> str:
        return f"{self.what}: {self.why}" if self.why else self.what


# --- bytes from outside -------------------------------------------------------------------------------------


class Malformed(TapekeyError):
    """Bytes from a drive, a cartridge, a file or a peer do not have the form that they must have."""


# --- talking to a device ------------------------------------------------------------------------------------


class TransportFailed(TapekeyError):
    """A command could not be delivered, or its answer never came: nothing is known of its effect."""


class TimedOut(TransportFailed):
    """No answer within the command's time."""


class DeviceError(TapekeyError):
    """The device answered a command with an error; `code` is key/ASC/ASCQ in hex, such as 7/74/03."""

    def __init__(self, what: str, *, why: str = "", mend: str = "", code: str = "") -> None:
        super().__init__(what, why=why, mend=mend)
        self.code = code


class NotReady(DeviceError):
    """The drive is not ready (sense key 2): loading, cleaning, or waiting for an operator."""


class NoCartridge(NotReady):
    """The drive is empty."""


class MediumFailed(DeviceError):
    """The tape or its memory chip cannot be read or written (sense key 3)."""


class HardwareFailed(DeviceError):
    """The drive itself is broken (sense key 4)."""


class RequestRefused(DeviceError):
    """The drive does not accept the request (sense key 5)."""


class OpcodeUnknown(RequestRefused):
    """The drive does not know the command at all (5/20/00)."""


class RemovalPrevented(RequestRefused):
    """Somebody has told the drive to keep its cartridge (5/53/02)."""


class KeyManagedElsewhere(DeviceError):
    """Another authority (library, system) holds the drive's encryption; we may not set parameters."""


class StateChanged(DeviceError):
    """A unit attention (sense key 6): what was known of the drive is stale; read again, then try once more."""


class DataProtected(DeviceError):
    """The drive refuses access to the data (sense key 7)."""


class WriteProtected(DataProtected):
    """The cartridge, or its state, does not allow writing."""


class WrongKey(DataProtected):
    """The next block is encrypted under another key than the drive has (7/74/03). Never a reason to try keys."""


class KeyTriesExhausted(DataProtected):
    """Too many wrong keys: the drive takes no key until the cartridge is unloaded and loaded again (7/26/10)."""


class EndOfData(DeviceError):
    """Nothing is recorded from here on (sense key 8)."""


class EndOfMedium(DeviceError):
    """The end of the partition has been reached (sense key D, or 3/00/02 when reading)."""


class CommandAborted(DeviceError):
    """The drive gave the command up (sense key B): it may be tried again."""


class ReservationConflict(DeviceError):
    """Another initiator has reserved the drive."""


class DeviceBusy(DeviceError):
    """The device is busy or its queue is full; it may be asked again."""


class DriveLied(TapekeyError):
    """What the drive reports after a change is not what was asked: the change may not be relied on."""


class NoEncryption(TapekeyError):
    """The drive said, in so many words, that it cannot encrypt. Never inferred from a failure."""


class DriveUnknown(TapekeyError):
    """The drive is not approved, not unique, or not what was approved."""


# --- keys and envelopes -------------------------------------------------------------------------------------


class NotThisKey(TapekeyError):
    """This key does not open it; another one may. Nothing is wrong with the thing itself as far as is known."""


class EnvelopeRefused(TapekeyError):
    """An envelope opened, or should have, but is not to be believed: bound to something else, or tampered with."""


class KeyUnavailable(TapekeyError):
    """No key that is held here opens this cartridge."""


class DoesNotFit(TapekeyError):
    """There is no room where it has to go."""


# --- keystore and manager -----------------------------------------------------------------------------------


class StoreMissing(TapekeyError):
    """There is no keystore at that place."""


class StoreLocked(TapekeyError):
    """The keystore is there, but no slot opens with what was given."""


class StoreDamaged(TapekeyError):
    """The keystore's content does not verify: a row, a slot or the audit chain was changed."""


class StoreFailed(TapekeyError):
    """The keystore could not be read or written (full disk, I/O error, busy): nothing was acknowledged."""


class NotSafe(TapekeyError):
    """The key exists once only, so it is not served for writing."""


class Conflict(TapekeyError):
    """A name, identity or state is taken, or not as the request supposes."""


class Taken(Conflict):
    """Somebody else of ours works on the drive: it may be asked again."""


class NotFound(TapekeyError):
    """Nothing is on record under that name."""


# --- the virtual medium -------------------------------------------------------------------------------------


class MediumDamaged(TapekeyError):
    """What stands at this place of the medium does not verify; what is before and behind it may."""


class MediumFull(TapekeyError):
    """The end of the medium: nothing of this was written."""


class OverwriteRefused(TapekeyError):
    """The medium can only be appended to, or not written at all."""


# --- the agent ----------------------------------------------------------------------------------------------


class AgentMissing(TapekeyError):
    """No agent runs here: nothing answers at its socket."""


class NotAllowed(TapekeyError):
    """The agent does not do this for whoever asks."""


# --- decisions ----------------------------------------------------------------------------------------------


class Refused(TapekeyError):
    """Policy says no. `alarm` is set when somebody should look at it now."""

    def __init__(self, what: str, *, why: str = "", mend: str = "", alarm: bool = False) -> None:
        super().__init__(what, why=why, mend=mend)
        self.alarm = alarm


class Usage(TapekeyError):
    """The request contradicts itself or names what does not exist."""

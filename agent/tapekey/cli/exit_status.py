"""Exit statuses: those of sg3_utils where a drive said it, 100 to 125 where we did. See the operating guide."""

from dataclasses import dataclass
from typing import Final

from tapekey import errors


@dataclass(frozen=True, slots=True)
class Meaning:
    status: int
    text: str


# The first row whose class the error is an instance of decides, so subclasses come before their bases.
# fmt: off
STATUSES: Final[dict[type[errors.TapekeyError], Meaning]] = {
    errors.Usage:               Meaning(  1, "the request contradicts itself or names what does not exist"),
    errors.NotReady:            Meaning(  2, "the drive is not ready, or empty"),
    errors.MediumFailed:        Meaning(  3, "the tape or its memory chip cannot be read or written"),
    errors.HardwareFailed:      Meaning(  3, "the drive reports a hardware error"),
    errors.EndOfData:           Meaning(  3, "nothing is recorded from here on"),
    errors.KeyManagedElsewhere: Meaning(108, "a library or system owns the drive's encryption"),
    errors.OpcodeUnknown:       Meaning(  9, "the drive does not know the command"),
    errors.RequestRefused:      Meaning(  5, "the drive refused the request as illegal"),
    errors.StateChanged:        Meaning(  6, "unit attention: the drive's state changed meanwhile"),
    errors.KeyTriesExhausted:   Meaning(105, "too many wrong keys: unload and load the cartridge"),
    errors.WriteProtected:      Meaning(  7, "the cartridge is write-protected"),
    errors.DataProtected:       Meaning(  7, "the drive denies access to the data (wrong or no key, or a guard)"),
    errors.CommandAborted:      Meaning( 11, "the drive aborted the command"),
    errors.ReservationConflict: Meaning( 24, "another initiator has reserved the drive"),
    errors.DeviceBusy:          Meaning( 26, "the drive is busy"),
    errors.DeviceError:         Meaning( 98, "the drive reported something else"),
    errors.TimedOut:            Meaning( 33, "the drive did not answer in time"),
    errors.TransportFailed:     Meaning( 15, "the drive could not be reached"),
    errors.Malformed:           Meaning( 97, "an answer or a file does not have the form it must have"),
    errors.Refused:             Meaning(100, "a rule or a safety condition says no"),
    errors.KeyUnavailable:      Meaning(102, "no key that is held here opens this cartridge"),
    errors.NotThisKey:          Meaning(103, "that key does not open it"),
    errors.EnvelopeRefused:     Meaning(104, "an envelope is not to be believed"),
    errors.DriveLied:           Meaning(106, "the drive does not report what it was asked to do"),
    errors.NoEncryption:        Meaning(107, "the drive says that it cannot encrypt"),
    errors.DriveUnknown:        Meaning(109, "the drive is not approved, not unique, or not what was approved"),
    errors.StoreMissing:        Meaning(110, "there is no keystore at that place"),
    errors.StoreLocked:         Meaning(111, "the keystore does not open with what was given"),
    errors.StoreDamaged:        Meaning(112, "the keystore's content does not verify"),
    errors.StoreFailed:         Meaning(113, "the keystore could not be read or written"),
    errors.NotSafe:             Meaning(114, "the key would exist once only"),
    errors.Conflict:            Meaning(115, "a name, identity or state is taken or not as supposed"),
    errors.NotFound:            Meaning(116, "nothing is on record under that name"),
    errors.DoesNotFit:          Meaning(117, "there is no room where it has to go"),
    errors.AgentMissing:        Meaning(118, "no agent runs here"),
    errors.NotAllowed:          Meaning(119, "the agent does not do this for whoever asks"),
    errors.TapekeyError:        Meaning( 99, "something else failed"),
}
# fmt: on
ALARM: Final = Meaning(101, "a safety condition says no, and somebody should look at it now")

# What is no TapekeyError.
SYNTAX: Final = 1
BUG: Final = 125
INTERRUPTED: Final = 130
OTHERS: Final = (
    Meaning(0, "done"),
    Meaning(SYNTAX, "the command line is not understood"),
    ALARM,
    Meaning(BUG, "a fault of tapekey itself; the lines before it belong into a report"),
    Meaning(INTERRUPTED, "interrupted (Ctrl-C)"),
)


def status_of(error: errors.TapekeyError) -> int:
    """The exit status for an error."""
    if isinstance(error, errors.Refused) and error.alarm:
        return ALARM.status
    return next(meaning.status for kind, meaning in STATUSES.items() if isinstance(error, kind))

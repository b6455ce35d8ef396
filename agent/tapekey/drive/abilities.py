"""What a drive can do for encryption, and who may set its parameters: decoded facts only.

That a drive has no encryption is its own word: security protocol 20h missing from its list, or SECURITY PROTOCOL IN
unknown to it (5/20/00, and REPORT SUPPORTED OPERATION CODES does not contradict). A drive in a library's hands may say
just that too, so IBM's own mode page is asked before it is believed. Everything else that fails is "broken".
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

from tapekey.drive import guard
from tapekey.errors import (
    CommandAborted,
    DeviceBusy,
    DeviceError,
    DoesNotFit,
    Malformed,
    NotReady,
    OpcodeUnknown,
    RequestRefused,
    ReservationConflict,
    StateChanged,
)
from tapekey.exchange import Transport
from tapekey.scsi import encryption, encryption_status, inquiry, mode, opcodes, security, wrapped_key
from tapekey.scsi.codes import Opcode, SecurityProtocol
from tapekey.scsi.encryption import (
    Algorithm,
    AlgorithmCode,
    Capabilities,
    Configuration,
    Cryption,
    DkadCapability,
    InPage,
    KeyFormat,
    ManagementCapabilities,
    Validity,
)
from tapekey.scsi.encryption_status import EncryptionStatus, ParametersControl
from tapekey.scsi.encryption_support import InSupport, KeyFormats
from tapekey.scsi.mode_page import ENCRYPTION_MODE, EncryptionMethod, IbmEncryption, ModePage
from tapekey.scsi.opcodes import Support
from tapekey.scsi.run import run
from tapekey.scsi.wrapped_key import PublicKey

KEY_SIZE = 32
NO_SUCH_FIELD = "5/24/00"

# Preferred first. CCM is what the T10000 has.
SUITABLE: Final = (
    AlgorithmCode.AES_256_GCM_128,
    AlgorithmCode.ESP_AES_256_GCM_128,
    AlgorithmCode.AES_256_CCM_128,
    AlgorithmCode.ESP_AES_256_CCM_128,
)

PASSING = (StateChanged, DeviceBusy, ReservationConflict, NotReady, CommandAborted)  # says nothing of abilities


class Management(Enum):
    """Who may set encryption parameters on the drive: five different answers."""

    APPLICATION = "application-managed"
    ELSEWHERE = "library- or system-managed"
    DISABLED = "encryption disabled"
    NONE = "no encryption"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class KadRoom:
    """Bytes of key-associated data that the drive keeps beside every block."""

    authenticated: int = 0
    unauthenticated: int = 0
    authenticated_fixed: bool = False  # exactly the maximum, or none
    unauthenticated_fixed: bool = False

    def split(self, kad: bytes) -> tuple[bytes, bytes]:
        """Lay bytes out as A-KAD, then U-KAD; a fixed length is filled with zeros. DoesNotFit: too many bytes."""
        if len(kad) > self.authenticated + self.unauthenticated:
            raise DoesNotFit(
                "the key-associated data does not fit beside a block",
                why=f"{len(kad)} bytes for {self.authenticated} + {self.unauthenticated}",
            )
        first, second = kad[: self.authenticated], kad[self.authenticated :]
        if first and self.authenticated_fixed:
            first = first.ljust(self.authenticated, b"\0")
        if second and self.unauthenticated_fixed:
            second = second.ljust(self.unauthenticated, b"\0")
        return first, second


@dataclass(frozen=True, slots=True)
class Abilities:
    """The drive's account of itself. `why` says in words what `management` rests on."""

    management: Management
    why: str = ""
    algorithm: Algorithm | None = None  # None: no volume mounted, or none valid for it
    kad_room: KadRoom = KadRoom()
    decryption_kad: DkadCapability = DkadCapability.NOT_SPECIFIED
    locks: bool = False  # LOCK_C
    clears_on_demount: bool = False  # CKOD_C
    all_nexuses: bool = False  # AITN_C
    key_formats: tuple[KeyFormat, ...] = ()
    public_key: PublicKey | None = None  # page 0031h, when key format 02h is offered
    write_guard: bool = False  # writes-require-encryption can be set (mode page 10h/01h)


def abilities(transport: Transport) -> Abilities:
    """Find out what the drive can do, with the cartridge mounted.

    What only says "not now" (attention, busy, reserved, not ready, aborted) is raised, as are failures to reach it.
    """
    try:
        found = _ask(transport)
        return replace(found, write_guard=guard.available(transport))
    except PASSING:
        raise
    except (DeviceError, Malformed) as error:
        return Abilities(Management.BROKEN, why=str(error))


def _ask(transport: Transport) -> Abilities:
    try:
        offered = security.decode_supported(
            run(transport, security.read_information(security.InformationPage.SUPPORTED))
        )
    except OpcodeUnknown as error:
        return _unknown_opcode(transport, error)
    if SecurityProtocol.TAPE_DATA_ENCRYPTION not in offered:
        return _without(transport, "security protocol 20h is not in the drive's list")
    try:
        capabilities = encryption.decode_page(Capabilities, run(transport, encryption.read_page(InPage.CAPABILITIES)))
    except RequestRefused as error:
        return _refused(transport, error)
    status = encryption_status.decode_status(run(transport, encryption_status.read_status()))
    management, why = _management(capabilities, status, _ibm_method(transport))
    if management != Management.APPLICATION:
        return Abilities(management, why)
    return _described(transport, capabilities, why)


def _unknown_opcode(transport: Transport, refusal: OpcodeUnknown) -> Abilities:
    """5/20/00 for SPIN: believed unless the drive lists the command all the same."""
    try:
        answer = opcodes.decode_one(run(transport, opcodes.report_opcode(Opcode.SECURITY_PROTOCOL_IN)))
    except RequestRefused:  # it knows neither command, so there is nothing to contradict the first answer
        return _without(transport, str(refusal))
    if answer.supported and not answer.usage.startswith(bytes([Opcode.SECURITY_PROTOCOL_IN])):
        return _unlisted(transport, refusal)
    if answer.support == Support.NOT_SUPPORTED:
        return _without(transport, f"{refusal}; the drive confirms that it lacks the command")
    return Abilities(Management.BROKEN, f"{refusal}; yet the drive does not say that it lacks the command")


def _unlisted(transport: Transport, refusal: OpcodeUnknown) -> Abilities:
    """The answer about SPIN was about no command: its usage map must begin with the opcode (reference 1.9).

    Debian's tgt says "supported" of any command in this way. The list of all commands is asked then, and believed if it
    has at least INQUIRY, which every device knows.
    """
    listed = {entry.opcode for entry in opcodes.decode_all(run(transport, opcodes.report_opcodes(timeouts=False)))}
    if Opcode.INQUIRY in listed and Opcode.SECURITY_PROTOCOL_IN not in listed:
        return _without(transport, f"{refusal}; the drive does not list the command among its own")
    return Abilities(Management.BROKEN, f"{refusal}; yet what the drive says of the command contradicts itself")


def _without(transport: Transport, why: str) -> Abilities:
    """Tape data encryption is not offered: to us, or at all."""
    method = _ibm_method(transport)
    if method is None:
        return Abilities(Management.NONE, why)
    if method == EncryptionMethod.APPLICATION:
        return Abilities(Management.BROKEN, f"the drive is set to application-managed encryption, but {why}")
    return Abilities(METHODS.get(method, Management.ELSEWHERE), f"{why}; {_method_words(method)}")


def _refused(transport: Transport, refusal: RequestRefused) -> Abilities:
    """Protocol 20h is offered, yet its first page is refused: the drive's configuration may say why."""
    method = _ibm_method(transport)
    if method is None or method == EncryptionMethod.APPLICATION:
        return Abilities(Management.BROKEN, f"{refusal}; the drive may not be set to application-managed encryption")
    return Abilities(METHODS.get(method, Management.ELSEWHERE), f"{refusal}; {_method_words(method)}")


def _management(
    capabilities: Capabilities, status: EncryptionStatus, method: EncryptionMethod | None
) -> tuple[Management, str]:
    """Who is in charge: every source is asked, and the first that says it is not us decides."""
    control = status.parameters_control
    if method is not None and method != EncryptionMethod.APPLICATION:
        return METHODS.get(method, Management.ELSEWHERE), _method_words(method)
    if control in {ParametersControl.AUTOMATION, ParametersControl.MANAGEMENT}:
        return Management.ELSEWHERE, f"page 0020h: parameters control {control:03b}b"
    if not capabilities.cfg_p.known or not control.known:
        return Management.BROKEN, f"reserved values: CFG_P {capabilities.cfg_p:02b}b, control {control:03b}b"
    able = {algorithm.encrypt_c for algorithm in capabilities.algorithms}
    if able <= {Cryption.NONE, Cryption.SOFTWARE}:
        return Management.DISABLED, "page 0010h: no algorithm is enabled for encryption in hardware"
    if capabilities.cfg_p == Configuration.PREVENTED:
        return Management.ELSEWHERE, "page 0010h: configuration prevented (CFG_P 10b)"
    if Cryption.HARDWARE in able:
        return Management.APPLICATION, "page 0010h: this device server may set parameters"
    return Management.ELSEWHERE, "page 0010h: capable under external control only (ENCRYPT_C 11b)"


def _described(transport: Transport, capabilities: Capabilities, why: str) -> Abilities:
    """The rest of what an application needs to know."""
    pages = encryption.decode_page(InSupport, run(transport, encryption.read_page(InPage.IN_SUPPORT))).pages
    bits = _management_bits(transport) if InPage.MANAGEMENT_CAPABILITIES in pages else ManagementCapabilities()
    formats = _key_formats(transport) if InPage.KEY_FORMATS in pages else (KeyFormat.PLAINTEXT,)
    algorithm = choose(capabilities.algorithms)
    described = Abilities(
        Management.APPLICATION,
        why if algorithm else f"{why}, but no suitable algorithm is valid for what is mounted",
        locks=bits.lock_c,
        clears_on_demount=bits.ckod_c,
        all_nexuses=bits.aitn_c,
        key_formats=formats,
        public_key=_public_key(transport) if KeyFormat.WRAPPED in formats and InPage.PUBLIC_KEY in pages else None,
    )
    if algorithm is None:
        return described
    room = KadRoom(algorithm.max_akad, algorithm.max_ukad, algorithm.akadf, algorithm.ukadf)
    return replace(described, algorithm=algorithm, kad_room=room, decryption_kad=algorithm.dkad_c)


def choose(algorithms: tuple[Algorithm, ...]) -> Algorithm | None:
    """The algorithm to use: valid for the mounted volume, both ways in hardware, AES-256; never a fixed index."""
    fit = [
        algorithm
        for algorithm in algorithms
        if algorithm.avfmv
        and algorithm.encrypt_c == algorithm.decrypt_c == Cryption.HARDWARE
        and algorithm.key_size == KEY_SIZE
        and algorithm.code in SUITABLE
    ]
    fit.sort(key=lambda algorithm: (SUITABLE.index(algorithm.code), algorithm.avfclp != Validity.VALID))
    return fit[0] if fit else None


def _management_bits(transport: Transport) -> ManagementCapabilities:
    page = InPage.MANAGEMENT_CAPABILITIES
    return encryption.decode_page(ManagementCapabilities, run(transport, encryption.read_page(page)))


def _key_formats(transport: Transport) -> tuple[KeyFormat, ...]:
    return encryption.decode_page(KeyFormats, run(transport, encryption.read_page(InPage.KEY_FORMATS))).formats


def _public_key(transport: Transport) -> PublicKey | None:
    """The drive's wrapping key, if it is of a type that we can wrap for."""
    return wrapped_key.rsa_2048(wrapped_key.decode_public_key(run(transport, wrapped_key.read_public_key())))


def _ibm_method(transport: Transport) -> EncryptionMethod | None:
    """IBM's encryption mode page 30h/20h, which answers even where SPIN is refused; None: not an IBM, or no such page.

    Vendors' pages mean other things on other vendors' drives, so nobody else is asked.
    """
    if inquiry.decode_standard(run(transport, inquiry.inquire())).vendor != "IBM":
        return None
    try:
        data = run(transport, mode.mode_sense(ModePage.IBM_ENCRYPTION, ENCRYPTION_MODE, descriptor=False))
    except RequestRefused as error:
        if error.code != NO_SUCH_FIELD:
            raise
        return None
    page = mode.decode_answer_10(data).read(IbmEncryption)
    if page is None:
        raise Malformed("the drive sent another mode page", why="30h/20h was asked for")
    return page.method


def _method_words(method: EncryptionMethod) -> str:
    return f"IBM mode page 30h/20h: method {method:02X}h"


# Any other method is a library's, a system's or custom: not ours.
METHODS: Final[Mapping[int, Management]] = {EncryptionMethod.NONE: Management.DISABLED}

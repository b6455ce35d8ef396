"""SECURITY PROTOCOL IN and OUT (SPC-4), and protocol 00h, by which a device says what it speaks."""

from collections.abc import Iterable
from dataclasses import dataclass

from tapekey.exchange import Command
from tapekey.scsi import sense
from tapekey.scsi.codes import Opcode, SecurityProtocol
from tapekey.secret import Secret
from tapekey.wire.codes import Code
from tapekey.wire.layout import Reader, bits, decode, encode, rest, size_of, text, uint, wire

ROOM = 8192  # no known page of any protocol is longer
TIMEOUT = 60.0  # IBM LTO SCSI Reference, annex A: one minute for both commands


@wire(size=12)
@dataclass(frozen=True, slots=True)
class SecurityCdb:
    """CDB of SPIN (A2h, LENGTH is the allocation length) and SPOUT (B5h, LENGTH is the transfer length)."""

    # fmt: off
    operation_code:             Opcode           = uint( 0, 1, Opcode, default=Opcode.SECURITY_PROTOCOL_IN)
    security_protocol:          SecurityProtocol = uint( 1, 1, SecurityProtocol)
    security_protocol_specific: int              = uint( 2, 2)  # the page code for protocols 00h and 20h
    inc_512:                    bool             = bits( 4, 7, 7, bool)  # length in units of 512: tapes refuse it
    length:                     int              = uint( 6, 4)
    control:                    int              = uint(11, 1)
    # fmt: on


def security_protocol_in(protocol: int, specific: int, room: int = ROOM, timeout: float = TIMEOUT) -> Command:
    """Ask for a page of a security protocol."""
    cdb = SecurityCdb(Opcode.SECURITY_PROTOCOL_IN, SecurityProtocol(protocol), specific, length=room)
    return Command(encode(cdb), data_in_max=room, timeout=timeout)


def security_protocol_out(protocol: int, specific: int, data: Secret | bytes, timeout: float = TIMEOUT) -> Command:
    """Send a page of a security protocol."""
    cdb = SecurityCdb(Opcode.SECURITY_PROTOCOL_OUT, SecurityProtocol(protocol), specific, length=len(data))
    return Command(encode(cdb), data_out=data, timeout=timeout)


class InformationPage(Code):
    """Pages of security protocol 00h."""

    SUPPORTED = 0x0000
    CERTIFICATE = 0x0001
    COMPLIANCE = 0x0002


@wire(size=8)
@dataclass(frozen=True, slots=True)
class SupportedProtocols:
    """Supported security protocol list (page 0000h). It has no page code."""

    # fmt: off
    list_length: int   = uint(6, 2)
    protocols:   bytes = rest(8)
    # fmt: on


@wire(size=4)
@dataclass(frozen=True, slots=True)
class CertificateData:
    """Certificate data (page 0001h)."""

    # fmt: off
    certificate_length: int   = uint(2, 2)
    certificate:        bytes = rest(4)
    # fmt: on


class ComplianceType(Code):
    """COMPLIANCE DESCRIPTOR TYPE."""

    FIPS_140 = 0x0001


@wire(size=8)
@dataclass(frozen=True, slots=True)
class ComplianceHeader:
    """Head of a compliance descriptor."""

    # fmt: off
    type:   ComplianceType = uint(0, 2, ComplianceType)
    length: int            = uint(4, 4)
    # fmt: on


@wire(size=0x208)
@dataclass(frozen=True, slots=True)
class Compliance:
    """Compliance descriptor for FIPS 140, behind its head."""

    # fmt: off
    standard:         str = text(  0,   1)  # "2" for FIPS 140-2, "3" for FIPS 140-3
    level:            str = text(  1,   1)
    hardware_version: str = text(  8, 128)
    firmware_version: str = text(136, 128)
    module_name:      str = text(264, 256)
    # fmt: on


def read_information(page: InformationPage, room: int = ROOM) -> Command:
    """Ask for a page of security protocol 00h."""
    return security_protocol_in(SecurityProtocol.INFORMATION, page, room)


def encode_supported(protocols: Iterable[SecurityProtocol]) -> bytes:
    """Write page 0000h: protocols in ascending order."""
    codes = bytes(sorted(protocols))
    return encode(SupportedProtocols(len(codes), codes))


def decode_supported(data: bytes) -> tuple[SecurityProtocol, ...]:
    """Read page 0000h."""
    page = decode(SupportedProtocols, data)
    codes = Reader(page.protocols, "list of security protocols").take(page.list_length, "list")
    return tuple(SecurityProtocol(code) for code in codes)


def encode_certificate(certificate: bytes) -> bytes:
    """Write page 0001h: an X.509 certificate in DER, or nothing."""
    return encode(CertificateData(len(certificate), certificate))


def decode_certificate(data: bytes) -> bytes:
    """Read page 0001h. Drives without a certificate may have the page, empty."""
    page = decode(CertificateData, data)
    return Reader(page.certificate, "certificate data").take(page.certificate_length, "certificate")


def encode_compliance(compliance: Compliance) -> bytes:
    """Write page 0002h with one descriptor."""
    image = encode(ComplianceHeader(ComplianceType.FIPS_140, size_of(Compliance))) + encode(compliance)
    return len(image).to_bytes(4, "big") + image


def decode_compliance(data: bytes) -> tuple[Compliance, ...]:
    """Read page 0002h. Descriptors of types that we do not know are passed over."""
    page = Reader(data, "security compliance")
    found = []
    with page.block(page.number(4, "length"), "list of descriptors") as reader:
        while reader.left:
            head = reader.read(ComplianceHeader, "descriptor")
            body = reader.take(head.length, "descriptor")
            if head.type is ComplianceType.FIPS_140:
                found.append(decode(Compliance, body))
    return tuple(found)


def field_name(pointer: sense.FieldPointer) -> str:
    """Name the field of the CDB that a device objects to."""
    return sense.field_name(SecurityCdb, pointer)

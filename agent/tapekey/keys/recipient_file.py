"""Recipients as files: a public key or a certificate, PEM or DER, or a hybrid public key under our own label.

A certificate's dates are reported as facts; whether an expired one may be used is for policy to say.
"""

from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from tapekey.errors import Malformed
from tapekey.keys import armour, recipient
from tapekey.keys.recipient import PublicRecipient
from tapekey.secret import Secret

KEY_SIZE = 32  # of what is wrapped to try a recipient
PUBLIC = "PUBLIC KEY"
HYBRID = "TAPEKEY HYBRID PUBLIC KEY"
VERSION = 1


@dataclass(frozen=True, slots=True)
class Certificate:
    """What a certificate says of its key. Nobody has checked who issued it."""

    subject: str
    issuer: str
    not_before: datetime
    not_after: datetime


@dataclass(frozen=True, slots=True)
class Loaded:
    recipient: PublicRecipient
    certificate: Certificate | None = None


def load(data: bytes) -> Loaded:
    """Read a recipient from a file's bytes, whichever form it has, and see that something can be wrapped for it."""
    loaded = _load(data)
    try:
        loaded.recipient.wrap(Secret(bytes(KEY_SIZE)), b"")
    except ValueError as error:
        raise Malformed("this public key cannot be used", why="nothing can be encrypted to it") from error
    return loaded


def _load(data: bytes) -> Loaded:
    label = armour.label_of(data)
    if "PRIVATE KEY" in label or "KEK" in label:
        raise Malformed(
            "this file holds a secret, not a public key",
            mend="give the public key or the certificate, and keep this file where it is safe",
        )
    if label == HYBRID:
        return Loaded(_load_hybrid(data))
    try:
        if label:
            return _load_pem(label, data)
        return _load_der(data)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise Malformed("this is neither a public key nor a certificate", why=_reason(error)) from error


def dump(public: PublicRecipient) -> bytes:
    """Write a recipient's public key as PEM."""
    if public.suite.hybrid:
        return armour.dump(HYBRID, bytes([VERSION]) + public.public_form)
    return armour.dump(PUBLIC, public.public_form)


def _load_hybrid(data: bytes) -> PublicRecipient:
    body = bytes(armour.load(HYBRID, data))
    if body[:1] != bytes([VERSION]) or body[1:2] == b"\x30":
        raise Malformed("the hybrid public key file cannot be read", why=f"it is not of version {VERSION}")
    return recipient.from_public_form(body[1:])


def _load_pem(label: str, data: bytes) -> Loaded:
    if label == "CERTIFICATE":
        return _of_certificate(x509.load_pem_x509_certificate(data))
    return Loaded(recipient.from_public_key(load_pem_public_key(data)))


def _load_der(data: bytes) -> Loaded:
    try:
        certificate = x509.load_der_x509_certificate(data)
    except ValueError:
        return Loaded(recipient.from_public_form(data))
    return _of_certificate(certificate)


def _of_certificate(certificate: x509.Certificate) -> Loaded:
    facts = Certificate(
        subject=certificate.subject.rfc4514_string(),
        issuer=certificate.issuer.rfc4514_string(),
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
    )
    return Loaded(recipient.from_public_key(certificate.public_key()), facts)


def _reason(error: Exception) -> str:
    return str(error).splitlines()[0].lower().rstrip(".") if str(error) else "its form is unknown"

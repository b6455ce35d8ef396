from dataclasses import replace
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, x25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from tapekey.errors import Malformed
from tapekey.keys import recipient_file
from tapekey.keys.recipient import PublicRecipient
from tapekey.keys.suite import Suite
from tests.keys.people import SUITES, entry, person

PUBLIC = [name for name in SUITES if name != "kek"]
BORN, EXPIRES = datetime(2020, 1, 2, tzinfo=UTC), datetime(2021, 3, 4, tzinfo=UTC)


def certificate() -> x509.Certificate:
    key = ec.generate_private_key(ec.SECP384R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "partner")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, BORN, EXPIRES)
    return builder.sign(key, hashes.SHA256())


@pytest.mark.parametrize("name", PUBLIC)
def test_published_public_key_file_reads_and_writes(name: str) -> None:
    text = entry(name)["public"].encode()
    loaded = recipient_file.load(text)
    assert loaded.recipient == person(name).recipient
    assert recipient_file.dump(loaded.recipient) == text


@pytest.mark.parametrize("encoding", [Encoding.PEM, Encoding.DER], ids=["pem", "der"])
def test_expired_certificate_is_read_and_its_dates_are_told(encoding: Encoding) -> None:
    loaded = recipient_file.load(certificate().public_bytes(encoding))
    assert loaded.recipient.suite is Suite.HPKE_P384
    assert loaded.certificate is not None
    assert (loaded.certificate.not_before, loaded.certificate.not_after) == (BORN, EXPIRES)
    assert loaded.certificate.subject == "CN=partner"


def test_der_public_key_is_read() -> None:
    public = person("rsa-3072").recipient
    assert isinstance(public, PublicRecipient)
    assert recipient_file.load(public.public_form).recipient == public


@pytest.mark.parametrize("name", SUITES)
def test_private_key_file_is_refused_as_a_recipient(name: str) -> None:
    with pytest.raises(Malformed, match="holds a secret"):
        recipient_file.load(entry(name)["private"].encode())


@pytest.mark.parametrize("label", ["PUBLIC KEY", "CERTIFICATE", "TAPEKEY HYBRID PUBLIC KEY", "SOMETHING"])
def test_armour_around_nothing_sensible_is_malformed(label: str) -> None:
    with pytest.raises(Malformed):
        recipient_file.load(f"-----BEGIN {label}-----\nAQUF\n-----END {label}-----\n".encode())


@pytest.mark.parametrize("point", [bytes(32), bytes([1]) + bytes(31)], ids=["zero", "one"])
def test_point_of_small_order_is_no_recipient(point: bytes) -> None:
    curve = x25519.X25519PublicKey.from_public_bytes(point)
    with pytest.raises(Malformed, match="nothing can be encrypted"):
        recipient_file.load(curve.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
    whole = person("mlkem768-x25519").recipient
    assert isinstance(whole, PublicRecipient)
    with pytest.raises(Malformed, match="nothing can be encrypted"):
        recipient_file.load(recipient_file.dump(replace(whole, public_form=whole.public_form[:-32] + point)))


@given(st.binary(max_size=300))
def test_any_bytes_are_malformed(data: bytes) -> None:
    with pytest.raises(Malformed):
        recipient_file.load(data)

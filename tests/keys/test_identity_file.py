import pytest
from cryptography.hazmat.primitives.asymmetric import x25519
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat
from hypothesis import given
from hypothesis import strategies as st

from tapekey.errors import Malformed, NotThisKey
from tapekey.keys import armour, identity_file
from tapekey.keys.identity_file import Cost
from tapekey.secret import Secret
from tests.keys.people import SUITES, entry, person

CHEAP = Cost(memory_kib=64, iterations=1, lanes=1)
PASSPHRASE = Secret(b"correct horse")


def text_of(secret: Secret) -> bytes:
    return bytes(secret.reveal())


@pytest.mark.parametrize("name", SUITES)
def test_published_private_key_file_reads_and_writes(name: str) -> None:
    text = entry(name)["private"].encode()
    assert text_of(identity_file.dump(identity_file.load(text))) == text


@pytest.mark.parametrize("name", SUITES)
def test_sealed_file_opens_with_its_passphrase_only(name: str) -> None:
    text = text_of(identity_file.dump(person(name), PASSPHRASE, CHEAP))
    opened = identity_file.load(text, PASSPHRASE)
    assert opened == person(name)
    assert opened.secret == person(name).secret
    for wrong in (None, Secret(b"wrong horse")):
        with pytest.raises(NotThisKey):
            identity_file.load(text, wrong)


def test_sealed_file_with_a_changed_head_does_not_open() -> None:
    body = armour.load(identity_file.SEALED, text_of(identity_file.dump(person("kek"), PASSPHRASE, CHEAP)))
    body[1] = 5  # a KEK's 32 bytes taken for a hybrid's seed
    with pytest.raises(Malformed):
        identity_file.load(armour.dump(identity_file.SEALED, bytes(body)), PASSPHRASE)


@pytest.mark.parametrize(
    "cost", [Cost(1 << 21, 1, 1), Cost(64, 17, 1), Cost(256, 1, 17), Cost(64, 0, 1), Cost(64, 1, 0), Cost(7, 1, 1)]
)
def test_sealed_file_that_asks_for_an_unreasonable_cost_is_refused(cost: Cost) -> None:
    body = armour.load(identity_file.SEALED, text_of(identity_file.dump(person("kek"), PASSPHRASE, CHEAP)))
    body[2:8] = cost.memory_kib.to_bytes(4, "big") + bytes([cost.iterations, cost.lanes])
    with pytest.raises(Malformed):
        identity_file.load(armour.dump(identity_file.SEALED, bytes(body)), PASSPHRASE)


@pytest.mark.parametrize("size", [0, 31, 33])
def test_kek_file_holds_exactly_32_bytes(size: int) -> None:
    with pytest.raises(Malformed):
        identity_file.load(armour.dump(identity_file.KEK, b"\1" + b"\0" * size))


@pytest.mark.parametrize("body", [b"\2\5" + bytes(32), b"\1\7" + bytes(32), b"\1\5" + bytes(31), b"\1\5" + bytes(33)])
def test_hybrid_file_of_another_form_is_malformed(body: bytes) -> None:
    with pytest.raises(Malformed):
        identity_file.load(armour.dump(identity_file.HYBRID, body))


def test_encrypted_pkcs8_of_another_maker_is_read() -> None:
    key = x25519.X25519PrivateKey.generate()
    text = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"correct horse"))
    identity_file.load(text, PASSPHRASE)
    for wrong in (None, Secret(b"wrong horse")):
        with pytest.raises(NotThisKey):
            identity_file.load(text, wrong)


def test_passphrase_given_for_an_open_file_is_not_needed() -> None:
    assert identity_file.load(entry("p256")["private"].encode(), PASSPHRASE) == person("p256")


@given(st.binary(max_size=300), st.sampled_from([identity_file.SEALED, identity_file.KEK, identity_file.HYBRID]))
def test_any_body_is_refused_by_type(body: bytes, label: str) -> None:
    for text in (body, armour.dump(label, b"\2" + body)):
        with pytest.raises((Malformed, NotThisKey)):
            identity_file.load(text, PASSPHRASE)

import pytest

from tapekey.errors import EnvelopeRefused, Malformed, NotThisKey
from tapekey.keys import signature
from tapekey.keys.signature import Signature
from tapekey.secret import Secret

# RFC 8032 section 7.1, test 1
SEED = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"
PUBLIC = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"


def test_public_key_is_the_rfcs() -> None:
    assert signature.of_seed(Secret(bytes.fromhex(SEED))).public.hex() == PUBLIC


def test_own_signature_verifies() -> None:
    signer = signature.generate()
    signature.verify(signer.sign(b"bytes"), b"bytes", signer.public)


def test_other_bytes_are_refused() -> None:
    signer = signature.generate()
    with pytest.raises(EnvelopeRefused):
        signature.verify(signer.sign(b"bytes"), b"other", signer.public)


def test_forged_value_under_our_name_is_refused() -> None:
    signer, forger = signature.generate(), signature.generate()
    forged = Signature(signature.signer_id(signer.public), forger.sign(b"bytes").value)
    with pytest.raises(EnvelopeRefused):
        signature.verify(forged, b"bytes", signer.public)


def test_another_signer_or_none_is_not_this_key() -> None:
    signer = signature.generate()
    for other in (signature.generate().sign(b"bytes"), None):
        with pytest.raises(NotThisKey):
            signature.verify(other, b"bytes", signer.public)


def test_seed_has_exactly_32_bytes() -> None:
    for size in (31, 33):
        with pytest.raises(Malformed):
            signature.of_seed(Secret(bytes(size)))

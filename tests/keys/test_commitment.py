import pytest

from tapekey.errors import EnvelopeRefused
from tapekey.keys import commitment
from tapekey.keys.data_key import DataKey, KeyId
from tapekey.secret import Secret
from tests.keys.people import KEY

# Worked out with openssl: printf 'tapekey/kcv/1' and the id | openssl dgst -sha256 -mac HMAC -macopt hexkey:a0a1...bf
CHECK = "572fadf6188b92ab60a0e9180d466e0f"
DERIVED = "b20402a5be8509b57fd7983c09e12907"
KEK = "4f7e2072ab96b225d385ed46b4ee83399011b1cf722c3f2322202e71bd7c7686"


def test_check_value_is_the_hmac_that_the_format_names() -> None:
    assert commitment.check_value(KEY).hex() == CHECK


def test_derived_id_is_the_hmac_that_the_format_names() -> None:
    assert str(commitment.derived_id(KEY.secret)) == DERIVED


def test_kek_fingerprint_is_the_hmac_that_the_format_names() -> None:
    assert commitment.kek_fingerprint(KEY.secret).hex() == KEK


def test_the_key_that_was_committed_to_passes() -> None:
    assert commitment.confirm(KEY, commitment.check_value(KEY)) is KEY


@pytest.mark.parametrize(
    "other", [DataKey(KEY.id, Secret(bytes(32))), DataKey(KeyId(bytes(16)), KEY.secret)], ids=["key", "id"]
)
def test_another_key_or_id_is_refused(other: DataKey) -> None:
    with pytest.raises(EnvelopeRefused):
        commitment.confirm(other, commitment.check_value(KEY))

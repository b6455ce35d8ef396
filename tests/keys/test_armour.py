import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapekey.errors import Malformed
from tapekey.keys import armour

# Worked out by hand with base64(1).
TEXT = b"-----BEGIN TAPEKEY TEST-----\nAAECAw==\n-----END TAPEKEY TEST-----\n"


def test_armour_is_base64_between_two_lines() -> None:
    assert armour.dump("TAPEKEY TEST", b"\0\1\2\3") == TEXT
    assert armour.load("TAPEKEY TEST", TEXT) == b"\0\1\2\3"


def test_lines_have_64_characters() -> None:
    assert len(armour.dump("X", bytes(100)).splitlines()[1]) == 64


def test_line_ends_of_other_systems_are_taken() -> None:
    assert armour.load("TAPEKEY TEST", TEXT.replace(b"\n", b"\r\n")) == b"\0\1\2\3"


@pytest.mark.parametrize(
    "text",
    [b"", TEXT[:-20], TEXT.replace(b"END TAPEKEY TEST", b"END TAPEKEY REST"), TEXT.replace(b"==", b"="), TEXT + TEXT],
    ids=["empty", "cut", "labels differ", "padding", "two"],
)
def test_what_is_not_whole_is_malformed(text: bytes) -> None:
    with pytest.raises(Malformed):
        armour.load("TAPEKEY TEST", text)


def test_another_label_is_malformed() -> None:
    with pytest.raises(Malformed):
        armour.load("TAPEKEY REST", TEXT)


@given(st.binary(min_size=1, max_size=300))
def test_any_body_survives(body: bytes) -> None:
    assert armour.load("TAPEKEY TEST", armour.dump("TAPEKEY TEST", body)) == body

"""Open enums: a number that is not in the table stays a number, with a name that says so."""

import pytest

from tapekey.wire.codes import Code


class Colour(Code):
    RED = 1
    BLUE = 2


def test_known_value_is_its_member() -> None:
    assert Colour(1) is Colour.RED
    assert Colour.RED.known


def test_unknown_value_keeps_its_number_and_says_so() -> None:
    colour = Colour(9)

    assert colour == 9
    assert colour.name == "UNKNOWN_09H"
    assert isinstance(colour, Colour)
    assert not colour.known


def test_unknown_value_does_not_join_the_table() -> None:
    Colour(9)

    assert list(Colour) == [Colour.RED, Colour.BLUE]


def test_equal_unknown_values_hash_equal() -> None:
    assert {Colour(9): "nine"}[Colour(9)] == "nine"
    assert Colour(9) != Colour(10)


def test_what_is_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match="not a valid Colour"):
        Colour("red")  # type: ignore[arg-type]


def test_negative_number_is_refused() -> None:
    with pytest.raises(ValueError, match="not a valid Colour"):
        Colour(-1)

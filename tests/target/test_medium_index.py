"""Where encryption begins and stops, with doubt where objects are lost."""

import pytest

from tapekey.target.medium_index import NONE, UNKNOWN, Index


def built(objects: str) -> Index:
    """An index of clear (c) and encrypted (e) blocks, filemarks (f) and lost blocks (x)."""
    index = Index()
    for number, what in enumerate(objects):
        if what == "x":
            index.add_lost(number * 1000, 1, 0)
        elif what == "f":
            index.add(number * 1000, filemark=True)
        else:
            index.add(number * 1000, filemark=False, encrypted=what == "e")
    return index


TURNS = {
    # objects: first encrypted, first clear after it
    "": (NONE, NONE),
    "cfc": (NONE, NONE),
    "cfe": (2, NONE),
    "eefc": (0, 3),
    "ceecec": (1, 3),
    "xe": (UNKNOWN, UNKNOWN),
    "exc": (0, UNKNOWN),
    "ecx": (0, 1),
    "ccx": (UNKNOWN, UNKNOWN),
}


@pytest.mark.parametrize(("objects", "found"), TURNS.items(), ids=list(TURNS))
def test_first_encrypted_and_first_clear_after(objects: str, found: tuple[int, int]) -> None:
    index = built(objects)
    assert (index.first_encrypted(), index.first_clear_after()) == found


@pytest.mark.parametrize("number", range(9))
def test_a_cut_index_is_the_index_of_what_is_left(number: int) -> None:
    objects = "ccfeexfc"
    index = built(objects)
    index.cut(number)
    assert index == built(objects[:number])

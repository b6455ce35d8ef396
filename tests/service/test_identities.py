"""One worker for one name."""

import pytest

from tapekey.errors import DriveUnknown
from tapekey.service.identities import Identities

NAA, OTHER = bytes(8), bytes(7) + b"1"
# serial, NAA of a second one beside ("D1", NAA) at another place, and whether it may be
SECOND = {
    "another drive": ("D2", OTHER, True),
    "the same serial number": ("D1", OTHER, False),
    "the same NAA": ("D2", NAA, False),
    "no NAA": ("D2", b"", True),
}


@pytest.mark.parametrize(("serial", "naa", "may"), SECOND.values(), ids=SECOND)
def test_a_name_that_is_taken_is_refused(serial: str, naa: bytes, may: bool) -> None:
    names = Identities()
    names.take("D1", NAA, "/dev/sg1")
    if may:
        names.take(serial, naa, "/dev/sg2")
    else:
        with pytest.raises(DriveUnknown, match="/dev/sg2 is not unique"):
            names.take(serial, naa, "/dev/sg2")


def test_who_has_a_name_may_take_it_again_and_give_it_back() -> None:
    names = Identities()
    names.take("D1", NAA, "/dev/sg1")
    names.take("D1", NAA, "/dev/sg1")
    names.give_back("/dev/sg1")
    names.take("D1", NAA, "/dev/sg2")

"""A key in an empty drive, whichever drive takes it."""

from pathlib import Path

import pytest

from tapekey.drive import abilities, load, modes, parameters, parking
from tapekey.secret import Secret
from tests.bench import made, powered

KAD = bytes(range(30))


@pytest.mark.parametrize("name", ["ibm-lto6", "ibm-lto9", "hpe-lto6"])
def test_an_empty_drive_takes_a_key_that_is_there_when_a_cartridge_comes(name: str, tmp_path: Path) -> None:
    bench = powered(tmp_path, name, empty=True)
    able = parking.without_cartridge(bench, abilities.abilities(bench))
    assert able.algorithm is not None

    sent = parking.park(bench, able, plain=Secret(bytes(32)), wrapped=None, label=b"", kad=KAD)
    assert modes.in_force(sent) == modes.PARKED

    bench.insert(made(tmp_path, bench.drive.personality.generation))
    load.load(bench)
    found = parameters.status(bench)
    assert (modes.in_force(found), parameters.kads_of(found.kads)) == (modes.PARKED, KAD)


def test_what_a_mounted_cartridge_says_counts_before_any_guess(tmp_path: Path) -> None:
    bench = powered(tmp_path, "ibm-lto6")
    able = abilities.abilities(bench)
    assert parking.without_cartridge(bench, able) is able

"""What the tests with real programs share. None is skipped: `make test` installs them, so absence is a failure."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

import pytest

from tests.real.bench import Bench, new_keystore, powered

PowerOn = Callable[..., Bench]


@pytest.fixture(scope="session")
def born(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A keystore that each test gets a copy of."""
    place = tmp_path_factory.mktemp("born") / "store"
    new_keystore(place)
    return place


@pytest.fixture
def power_on(tmp_path: Path, born: Path) -> Iterator[PowerOn]:
    """Switches virtual drives on; they go off with the test."""
    keystore = tmp_path / "store"
    shutil.copytree(born, keystore)
    shutil.copy(born.with_suffix(".key"), keystore.with_suffix(".key"))
    with ExitStack() as stack:

        def switch(name: str, **knobs: object) -> Bench:
            drive: AbstractContextManager[Bench] = powered(tmp_path / name, name, keystore, **knobs)
            return stack.enter_context(drive)

        yield switch

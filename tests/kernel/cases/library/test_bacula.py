"""Bacula's own daemons with the library: labels, backs up and restores, its changer command wrapped by `tapekey hook`.

What it does to the library, it does through Debian's `mtx-changer`.
"""

import os
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kernel.cases import bacula as daemon
from tests.kernel.cases import simulated
from tests.kernel.cases.bacula import SCRIPT, Bacula
from tests.kernel.cases.library import bench
from tests.kernel.cases.library.bench import KEYSTORE, MEANT, Bench

WORK = Path("/tmp/bacula")


def hook() -> str:
    """The changer command as the storage daemon calls it."""
    (WORK / "hook").write_text(
        f"#!/bin/sh\ncd /run/checkout\nexport PYTHONPATH={os.environ['PYTHONPATH']}\n"
        f'exec {sys.executable} -m tapekey hook changer {" ".join((*MEANT, *KEYSTORE))} -- {SCRIPT} "$@"\n'
    )
    (WORK / "hook").chmod(0o755)
    return f"{WORK}/hook"


@pytest.fixture(scope="module")
def bacula(library: Bench) -> Iterator[Bacula]:
    WORK.mkdir()
    daemon.configure(WORK, library.changer, library.drives[:1], hook())
    with daemon.daemons(WORK):
        made = Bacula(WORK)
        simulated.await_(lambda: "Version" in made.ask("status director"), "the director")
        yield made
    shown = library.mtx("status")
    if found := re.search(r"Element 0:Full \(Storage Element (\d+)", shown):
        library.mtx("unload", found[1], "0")


def test_label_backup_and_restore_over_the_hook(bacula: Bacula, library: Bench) -> None:
    contents = {f"file-{number}": os.urandom(200_000 * number + 17) for number in range(1, 6)}
    for name, content in contents.items():
        (bacula.files / name).write_bytes(content)
    said = bacula.ask("label storage=Library pool=Default volume=ENC005L8 slot=5 drive=0")
    assert "3000 OK label" in said, said
    said = bacula.ask("run job=Backup yes")
    assert re.search(r"Termination: +Backup OK", said), said
    for content in contents.values():
        assert not bench.on_medium("ENC005L8", content)
    label = b"Bacula 1.0 immortal"
    assert not any(label in file.read_bytes() for file in (bench.MEDIA / "ENC005L8").iterdir())
    said = bacula.ask("restore client=client select all done yes")
    assert re.search(r"Termination: +Restore OK", said), said
    for name, content in contents.items():
        (found,) = bacula.restored.rglob(name)
        assert found.read_bytes() == content


def test_volume_that_was_put_away_is_loaded_and_keyed_again(
    bacula: Bacula, library: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    bacula.ask("unmount storage=Library drive=0")
    assert "Data Transfer Element 0:Empty" in library.mtx("status")
    bench.tapekey("audit", "show")
    assert "accounted" in capsys.readouterr().out
    shutil.rmtree(bacula.restored)
    bacula.restored.mkdir()
    bacula.ask("mount storage=Library slot=5 drive=0")
    said = bacula.ask("restore client=client select all done yes")
    assert re.search(r"Termination: +Restore OK", said), said
    assert len(list(bacula.restored.rglob("file-*"))) == 5


def test_load_that_cannot_be_keyed_fails(bacula: Bacula, library: Bench) -> None:
    """The cartridge of slot 6 gets no key once its drive is no longer approved."""
    serial = library.drives[0].serial_page[4:].decode().strip()
    bench.tapekey("drive", "forget", serial)
    try:
        said = bacula.ask("label storage=Library pool=Default volume=ENC006L8 slot=6 drive=0")
        assert "3000 OK label" not in said, said
        assert "not approved" in said, said
        assert not any(b"Bacula" in file.read_bytes() for file in (bench.MEDIA / "ENC006L8").iterdir())
    finally:
        bench.tapekey("drive", "approve", library.drives[0].path, "--allow", "iscsi", "--allow-virtual")

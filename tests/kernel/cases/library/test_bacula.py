"""Bacula's own daemons with the library: labels, backs up and restores, its changer command wrapped by `tapekey hook`.

All daemons run as root from configurations made here; the catalogue is SQLite. What it does to the library, it does
through Debian's `mtx-changer`.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from string import Template

import pytest

from tapekey.discovery.sysfs import Node
from tests.kernel.cases import simulated
from tests.kernel.cases.library import bench
from tests.kernel.cases.library.bench import KEYSTORE, MEANT, Bench

WORK = Path("/tmp/bacula")
SCRIPT = "/etc/bacula/scripts/mtx-changer"

CONFIGURATIONS = {
    "bacula-dir.conf": """
Director {
  Name = director
  DirPort = 9101
  QueryFile = /etc/bacula/scripts/query.sql
  WorkingDirectory = $work
  PidDirectory = $work
  Password = "secret"
  Messages = Standard
}
Catalog {
  Name = Catalog
  dbname = bacula
  dbuser = bacula
  dbpassword = ""
}
Client {
  Name = client
  Address = 127.0.0.1
  FDPort = 9102
  Catalog = Catalog
  Password = "secret"
}
Storage {
  Name = Library
  Address = 127.0.0.1
  SDPort = 9103
  Password = "secret"
  Device = Library
  Media Type = LTO-8
  Autochanger = yes
}
Pool {
  Name = Default
  Pool Type = Backup
}
FileSet {
  Name = Files
  Include {
    Options {
      signature = SHA1
    }
    File = $files
  }
}
Job {
  Name = Backup
  Type = Backup
  Level = Full
  Client = client
  FileSet = Files
  Storage = Library
  Pool = Default
  Messages = Standard
}
Job {
  Name = Restore
  Type = Restore
  Client = client
  FileSet = Files
  Storage = Library
  Pool = Default
  Messages = Standard
  Where = $restored
}
Messages {
  Name = Standard
  console = all
  append = "$work/log" = all
}
""",
    "bacula-sd.conf": """
Storage {
  Name = storage
  SDPort = 9103
  WorkingDirectory = $work
  PidDirectory = $work
}
Director {
  Name = director
  Password = "secret"
}
Autochanger {
  Name = Library
  Device = Drive-0
  Changer Device = $changer
  Changer Command = "$hook"
}
Device {
  Name = Drive-0
  Drive Index = 0
  Media Type = LTO-8
  Archive Device = $drive
  Autochanger = yes
  AutomaticMount = yes
  AlwaysOpen = yes
  RemovableMedia = yes
  RandomAccess = no
}
Messages {
  Name = Standard
  director = director = all
}
""",
    "bacula-fd.conf": """
FileDaemon {
  Name = client
  FDport = 9102
  WorkingDirectory = $work
  PidDirectory = $work
}
Director {
  Name = director
  Password = "secret"
}
Messages {
  Name = Standard
  director = director = all
}
""",
    "bconsole.conf": """
Director {
  Name = director
  DIRport = 9101
  Address = 127.0.0.1
  Password = "secret"
}
""",
}


@dataclass(frozen=True, slots=True)
class Bacula:
    """The three daemons, running, and the console."""

    files: Path
    restored: Path

    def ask(self, *lines: str) -> str:
        """Type lines at the console, wait for the jobs, and return what it and the log say."""
        typed = "\n".join((*lines, "wait", "messages", "quit", ""))
        console = ("bconsole", "-n", "-c", str(WORK / "bconsole.conf"))
        done = subprocess.run(console, input=typed, capture_output=True, text=True, check=False, timeout=280)
        return done.stdout + done.stderr


def hook() -> str:
    """The changer command as the storage daemon calls it."""
    (WORK / "hook").write_text(
        f"#!/bin/sh\ncd /run/checkout\nexport PYTHONPATH={os.environ['PYTHONPATH']}\n"
        f'exec {sys.executable} -m tapekey hook changer {" ".join((*MEANT, *KEYSTORE))} -- {SCRIPT} "$@"\n'
    )
    (WORK / "hook").chmod(0o755)
    return f"{WORK}/hook %c %o %S %a %d"


def configure(changer: Node, drive: Node) -> None:
    values = {
        "work": WORK,
        "files": WORK / "files",
        "restored": WORK / "restored",
        "changer": changer.path,
        "drive": f"/dev/{drive.nst}",
        "hook": hook(),
    }
    for name, text in CONFIGURATIONS.items():
        (WORK / name).write_text(Template(text).substitute(values))
    make = Path("/usr/share/bacula-director/make_sqlite3_tables").read_text().replace("XXX_DBNAME_XXX", "bacula")
    subprocess.run(["sh", "-c", make], cwd=WORK, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    if not (WORK / "bacula.db").exists():
        shutil.move(next(Path("/var/lib/bacula").glob("bacula.db")), WORK / "bacula.db")


@contextmanager
def daemons() -> Iterator[None]:
    with ExitStack() as running:
        for name in ("bacula-sd", "bacula-fd", "bacula-dir"):
            log = running.enter_context((WORK / f"{name}.out").open("wb"))
            words = (name, "-f", "-c", str(WORK / f"{name}.conf"))
            daemon = running.enter_context(subprocess.Popen(words, stdout=log, stderr=log))
            running.callback(daemon.terminate)
        yield


@pytest.fixture(scope="module")
def bacula(library: Bench) -> Iterator[Bacula]:
    for name in ("files", "restored"):
        (WORK / name).mkdir(parents=True)
    configure(library.changer, library.drives[0])
    with daemons():
        made = Bacula(WORK / "files", WORK / "restored")
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

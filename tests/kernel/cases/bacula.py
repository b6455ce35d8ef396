"""Bacula's own daemons in the guest: the configurations they run with, and the console.

All run as root; the catalogue is SQLite. A changer command is given as the storage daemon is to call it.
"""

import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Final

from tapekey.discovery.sysfs import Node

SCRIPT: Final = "/etc/bacula/scripts/mtx-changer"
WORDS: Final = "%c %o %S %a %d"

DRIVE: Final = """
Device {
  Name = Drive-$index
  Drive Index = $index
  Media Type = LTO-8
  Archive Device = $drive
  Autochanger = yes
  AutomaticMount = yes
  AlwaysOpen = yes
  RemovableMedia = yes
  RandomAccess = no
  Maximum Open Wait = $open_wait
}
"""
LONGEST_OPEN_WAIT: Final = 300  # seconds, as Bacula has it by default

CONFIGURATIONS: Final = {
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
  Device = $devices
  Changer Device = $changer
  Changer Command = "$hook"
}
$drives
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
    """The three daemons, running in a directory, and the console."""

    work: Path
    patience: float = 280.0  # for what was asked at the console

    @property
    def files(self) -> Path:
        """What is saved."""
        return self.work / "files"

    @property
    def restored(self) -> Path:
        return self.work / "restored"

    def ask(self, *lines: str) -> str:
        """Type lines at the console, wait for the jobs, and return what it and the log say."""
        typed = "\n".join((*lines, "wait", "messages", "quit", ""))
        console = ("bconsole", "-n", "-c", str(self.work / "bconsole.conf"))
        done = subprocess.run(console, input=typed, capture_output=True, text=True, check=False, timeout=self.patience)
        return done.stdout + done.stderr


def configure(
    work: Path, changer: Node, drives: Sequence[Node], command: str, open_wait: int = LONGEST_OPEN_WAIT
) -> None:
    """Write the configurations and an empty catalogue; `command`: what the changer's words are given to.

    `open_wait`: seconds to try to open a drive that others hold, while nothing else is done with it.
    """
    for name in ("files", "restored"):
        (work / name).mkdir(parents=True)
    values = {
        "work": work,
        "files": work / "files",
        "restored": work / "restored",
        "changer": changer.path,
        "hook": f"{command} {WORDS}",
        "devices": ", ".join(f"Drive-{index}" for index in range(len(drives))),
        "drives": "".join(
            Template(DRIVE).substitute(index=index, drive=f"/dev/{drive.nst}", open_wait=open_wait)
            for index, drive in enumerate(drives)
        ),
    }
    for name, text in CONFIGURATIONS.items():
        (work / name).write_text(Template(text).substitute(values))
    make = Path("/usr/share/bacula-director/make_sqlite3_tables").read_text().replace("XXX_DBNAME_XXX", "bacula")
    subprocess.run(["sh", "-c", make], cwd=work, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    if not (work / "bacula.db").exists():
        shutil.move(next(Path("/var/lib/bacula").glob("bacula.db")), work / "bacula.db")


@contextmanager
def daemons(work: Path) -> Iterator[None]:
    """Run all three until left."""
    with ExitStack() as running:
        for name in ("bacula-sd", "bacula-fd", "bacula-dir"):
            log = running.enter_context((work / f"{name}.out").open("wb"))
            words = (name, "-f", "-c", str(work / f"{name}.conf"))
            daemon = running.enter_context(subprocess.Popen(words, stdout=log, stderr=log))
            running.callback(daemon.terminate)
        yield

"""Amanda in the guest: server and client of one host, its robot changer, and a job over several small cartridges.

Debian's packages are unpacked only, so what their installation does is done here. Everything runs as Amanda's own user.
"""

import subprocess
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Final

from tests.kernel.cases.agent_jobs import house
from tests.kernel.cases.library.bench import Bench, run

NAME: Final = "daily"
USER: Final = "backup"
HOME: Final = Path("/var/lib/amanda")
CONFIGURATION: Final = Path("/etc/amanda") / NAME
CLIENT: Final = Path("/etc/amandahosts")
LOG: Final = Path("/var/log/amanda")

SERVER: Final = """\
org "$name"
mailto ""
dumpuser "$user"
inparallel 1
dumpcycle 0
runspercycle 1
tapecycle 4
runtapes 3
tpchanger "library"
define changer library {
  tpchanger "chg-robot:$changer"
  property "tape-device" "0=tape:$first" "1=tape:$second"
  property "use-slots" "$slots"
  property "load-poll" "0s poll 2s until 300s"
  property "mtx" "$mtx"
}
labelstr "DAILY-[0-9][0-9]*"
infofile "$home/$name/curinfo"
logdir "$home/$name"
indexdir "$home/$name/index"
tapelist "$home/$name/tapelist"
define tapetype SMALL {
  length 4 mbytes
  filemark 0 kbytes
  speed 1000 kps
  part-size 1 mbytes
  part-cache-type memory
}
tapetype SMALL
define dumptype plain {
  program "GNUTAR"
  auth "local"
  compress none
  index yes
  holdingdisk never
  strategy noinc
  allow-split yes
}
"""

# What the robot changer calls for `mtx`, and what the hook calls again for a load and an unload: from the words of
# Bacula's changer commands to those of `mtx`.
MTX: Final = """\
#!/bin/bash
DRIVES=($first $second) # in the order of the library's numbers
case "$$1 $$3" in
  "-f load" | "-f unload") exec $hook "$$0" "$$2" "$$3" "$$4" "$${DRIVES[$$5]}" "$$5" ;;
  "-f "*) exec mtx "$$@" ;;
  *) exec mtx -f "$$1" "$$2" "$$3" "$$5" ;;
esac
"""


@dataclass(frozen=True, slots=True)
class Amanda:
    """One configuration, and what it saves."""

    work: Path

    @property
    def files(self) -> Path:
        return self.work / "files"

    def run(self, *words: str, cwd: Path | None = None, patience: float = 300.0) -> str:
        """Run one of its programs as its user; what it says, and what it noted if it failed."""
        done = subprocess.run(
            words,
            cwd=cwd or self.work,
            user=USER,
            group=USER,
            extra_groups=("tape", "disk", house.GROUP),
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/var/backups", "LANG": "C"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=patience,
        )
        assert done.returncode == 0, f"{words}: {done.returncode}\n{done.stdout}\n{self.noted()}"
        return done.stdout

    def noted(self) -> str:
        """The last job's log."""
        logs = sorted((HOME / NAME).glob("log.*"))
        return logs[-1].read_text() if logs else ""


def configure(work: Path, library: Bench, slots: str, hook: Path) -> Amanda:
    """What its packages' installation does, a configuration over these slots, and a directory to save."""
    made = Amanda(work)
    for place in (LOG, HOME / "gnutar-lists", HOME / NAME, CONFIGURATION, made.files, Path("/run/amanda")):
        place.mkdir(parents=True, exist_ok=True)
    for empty in (HOME / "amandates", HOME / NAME / "tapelist"):
        empty.touch()
    values = {
        "name": NAME,
        "user": USER,
        "home": HOME,
        "changer": library.changer.path,
        "first": f"/dev/{library.drives[0].nst}",
        "second": f"/dev/{library.drives[1].nst}",
        "slots": slots,
        "mtx": work / "mtx",
        "hook": hook,
    }
    (work / "mtx").write_text(Template(MTX).substitute(values))
    (work / "mtx").chmod(0o755)
    (CONFIGURATION / "amanda.conf").write_text(Template(SERVER).substitute(values))
    (CONFIGURATION / "disklist").write_text(f"localhost {made.files} plain\n")
    CLIENT.write_text(f"localhost {USER} amdump amindexd amidxtaped\n")
    CLIENT.chmod(0o600)
    run("usermod", "-aG", f"tape,disk,{house.GROUP}", USER)
    run("chown", "-R", f"{USER}:{USER}", LOG, HOME, CONFIGURATION.parent, CLIENT, work, "/run/amanda")
    return made

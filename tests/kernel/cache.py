"""Where what the guest boots from is kept: outside the tree, built once for given inputs, whole or not at all.

A name carries a hash of what went into it, so a changed input is built anew. Everything is made in a temporary
directory and renamed when finished; what an interrupted build left is swept away by the next one.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


class Unavailable(Exception):
    """This machine cannot get at what the guest is made of; the text says what is missing."""


def directory() -> Path:
    """The cache: named by the environment, else in the user's own."""
    if named := os.environ.get("TAPEKEY_CACHE"):
        return Path(named)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tapekey-guest"


def digest(*inputs: str | Path) -> str:
    """A short name for inputs: texts, and files by their content."""
    texts = [item.read_text() if isinstance(item, Path) else item for item in inputs]
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:16]


def kept(name: str, build: Callable[[Path], None]) -> Path:
    """The cached directory of that name; when there is none, `build` fills one."""
    finished = directory() / name
    with _alone():
        if not finished.is_dir():
            print(f"kernel guest: building {name}", flush=True)
            with _scratch() as place:
                build(place)
                place.rename(finished)
    return finished


@contextmanager
def _alone() -> Iterator[None]:
    """One builder at a time, which may therefore sweep."""
    directory().mkdir(parents=True, exist_ok=True)
    with (directory() / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for left in directory().glob(".building-*"):
            shutil.rmtree(left, ignore_errors=True)
        yield


@contextmanager
def _scratch() -> Iterator[Path]:
    place = Path(tempfile.mkdtemp(prefix=".building-", dir=directory()))
    place.chmod(0o755)
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


def run(*words: str | Path, cwd: Path | None = None) -> str:
    """Run a program to its end and return what it printed. Unavailable: it is missing, or failed."""
    name = Path(words[0]).name
    try:
        done = subprocess.run(words, cwd=cwd, capture_output=True, text=True, check=False, env=_plain_environment())
    except FileNotFoundError as error:
        raise Unavailable(f"{name} is not installed") from error
    if done.returncode:
        said = " | ".join((done.stdout + done.stderr).strip().splitlines()[-4:])
        raise Unavailable(f"{name} failed with status {done.returncode}: {said}")
    return done.stdout


def _plain_environment() -> dict[str, str]:
    path = f"{os.environ['PATH']}:/usr/local/sbin:/usr/sbin:/sbin"
    return {**os.environ, "LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive", "PATH": path}


def pack(tree: Path, file: Path, spare_mib: int) -> None:
    """An ext4 file system of a directory's content; sparse, without a journal since nothing on it is kept."""
    used = int(run("du", "-sm", tree).split()[0])
    size = f"{used + used // 8 + spare_mib}M"
    run("mke2fs", "-q", "-t", "ext4", "-O", "^has_journal", "-m", "0", "-d", tree, file, size)

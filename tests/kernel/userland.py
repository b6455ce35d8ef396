"""The guest's userland: Debian of this machine's own release, with the locked Python packages. Needs root."""

import hashlib
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from tests.kernel import archive, cache

LOCK: Final = Path(__file__).parents[2] / "requirements" / "test.txt"

PACKAGES: Final = (
    "busybox-static",
    "iproute2",
    "kmod",
    "libacl1",
    "libcap2",
    "libcurl4",
    "libencode-locale-perl",
    "libglib2.0-0",
    "libjson-perl",
    "liblzo2-2",
    "libreadline8",
    "libsqlite3-0",
    "libssl3",
    "libstdc++6",
    "libtirpc3",
    "libwrap0",
    "libxml-simple-perl",
    "mt-st",
    "mtx",
    "open-iscsi",
    "perl",
    "procps",
    "python3",
    "sg3-utils",
    "sqlite3",
    "udev",
)

# Unpacked, not installed: their installation asks for a mail system, an Internet superserver and a database server, and
# no service or catalogue of theirs is used. What they link with is above.
UNPACKED: Final = (
    "amanda-client",
    "amanda-common",
    "amanda-server",
    "bacula-common",
    "bacula-common-sqlite3",
    "bacula-console",
    "bacula-director",
    "bacula-director-sqlite3",
    "bacula-fd",
    "bacula-sd",
)

# Of the locked packages, what only the host's checks use.
HOST_ONLY: Final = frozenset(
    {
        "ast-serialize",
        "cryptography-vectors",
        "execnet",
        "hypothesis",
        "librt",
        "mypy",
        "mypy-extensions",
        "pathspec",
        "pytest-xdist",
        "ruff",
        "setuptools",
        "sortedcontainers",
    }
)

UNREAD: Final = ("var/cache/apt", "var/lib/apt/lists", "usr/share/doc", "usr/share/man", "usr/share/locale")


def userland() -> Path:
    """The directory with `root.img`, and `busybox` for the initial RAM disk."""
    name = f"userland-{cache.digest(archive.own_suite(), wanted(LOCK.read_text()), Path(__file__))}"
    return cache.kept(name, _build)


def _build(place: Path) -> None:
    """About a minute and a half, nearly all of it debootstrap."""
    root = place / "root"
    # in a mount name space of its own, so that what debootstrap mounts goes when it goes, killed or not
    cache.run(
        *("unshare", "--mount", "debootstrap", "--variant=minbase", f"--include={','.join(PACKAGES)}"),
        *(f"--keyring={archive.KEYRING}", archive.own_suite(), root, archive.mirror()),
    )
    _unpack(root, place / "apt")
    _install_python_packages(root)
    _settle(root)
    for unread in UNREAD:
        shutil.rmtree(root / unread, ignore_errors=True)
    shutil.copy(root / "bin" / "busybox", place / "busybox")
    cache.pack(root, place / "root.img", spare_mib=200)
    shutil.rmtree(root)


def _unpack(root: Path, place: Path) -> None:
    options = archive.separate_apt(place, archive.own_suite())
    cache.run("apt-get", *options, "-qq", "download", *UNPACKED, cwd=place)
    files = place / "files.tar"
    for package in place.glob("*.deb"):
        with files.open("wb") as unpacked:
            subprocess.run(["dpkg-deb", "--fsys-tarfile", package], check=True, stdout=unpacked)
        # /lib is a link there, and stays one; owners and set-user-ID bits are kept, which Amanda's programs need
        cache.run("tar", "-x", "--keep-directory-symlink", "--same-owner", "--numeric-owner", "-C", root, "-f", files)
    shutil.rmtree(place)


def _settle(root: Path) -> None:
    """What an installer would write."""
    (root / "etc/hostname").write_text("guest\n")
    (root / "etc/hosts").write_text("127.0.0.1 localhost guest\n")
    (root / "etc/resolv.conf").write_text("")
    (root / "etc/machine-id").write_text(hashlib.sha256(b"tapekey guest").hexdigest()[:32] + "\n")
    (root / "etc/iscsi/initiatorname.iscsi").write_text("InitiatorName=iqn.2004-10.com.example:tapekey-guest\n")
    (root / "lib/modules").mkdir(exist_ok=True)


def _install_python_packages(root: Path) -> None:
    """The locked packages for the guest's own Python, compiled there: starting is slow enough under emulation."""
    version = cache.run("chroot", root, "python3", "-c", "import sys; print('%d.%d' % sys.version_info[:2])").strip()
    target = f"usr/local/lib/python{version}/dist-packages"
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as lock:
        lock.write(wanted(LOCK.read_text()))
        lock.flush()
        cache.run(
            *(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes"),
            *("--no-deps", "--only-binary=:all:", "--no-compile", "--python-version", version),
            *("--target", root / target, "-r", lock.name),
        )
    cache.run("chroot", root, "python3", "-m", "compileall", "-q", f"/usr/lib/python{version}", f"/{target}")


def wanted(lock: str) -> str:
    """A lock file without the packages that only the host's checks use."""
    entries: list[list[str]] = []
    for line in lock.splitlines(keepends=True):
        if line[:1].isalnum():
            entries.append([])
        if entries:
            entries[-1].append(line)
    return "".join("".join(entry) for entry in entries if entry[0].partition("==")[0] not in HOST_ONLY)

"""What a test guest boots from: the userland, and beside it a kernel of any suite with the few modules a test loads.

A kernel is unpacked, not installed, so that two of them share one userland and a newer suite's needs nothing else
from there.
"""

import gzip
import lzma
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.kernel import archive, cache
from tests.kernel.userland import userland

HERE: Final = Path(__file__).parent
BACKPORTS: Final = "trixie-backports"  # Debian 12's own backports have no kernel of this age

BOOT_MODULES: Final = ("virtio_pci", "virtio_blk", "ext4", "9pnet_virtio", "9p")

# What a guest may load, each with what it needs.
MODULES: Final = (*BOOT_MODULES, "virtio_net", "virtio_console", "scsi_debug", "sg", "st", "ch", "iscsi_tcp")


@dataclass(frozen=True, slots=True)
class Image:
    """The files that a guest boots from, and its kernel's release."""

    root: Path  # ext4
    modules: Path  # ext4
    kernel: Path
    initrd: Path
    release: str


def image(suite: str) -> Image:
    """The guest with this suite's kernel, from the cache or built now. `cache.Unavailable`: it is not to be had."""
    base = userland()
    name = f"kernel-{suite}-{cache.digest(suite, base.name, HERE / 'first_init.sh', Path(__file__))}"
    kernel = cache.kept(name, lambda place: _build(place, suite, base / "busybox"))
    release = (kernel / "release").read_text()
    return Image(base / "root.img", kernel / "modules.img", kernel / "vmlinuz", kernel / "initrd.img", release)


def _build(place: Path, suite: str, busybox: Path) -> None:
    release = _fetch(place, suite)
    files = _choose(place / "unpacked", release, MODULES)
    _lay_modules(files, place / "tree", release)
    _pack_initrd(place, _choose(place / "tree", release, BOOT_MODULES), busybox)
    cache.pack(place / "tree" / "lib" / "modules", place / "modules.img", spare_mib=4)
    shutil.copy(next((place / "unpacked").rglob("vmlinuz*")), place / "vmlinuz")
    (place / "release").write_text(release)
    for spent in ("apt", "unpacked", "tree", "initrd"):
        shutil.rmtree(place / spent)


def _fetch(place: Path, suite: str) -> str:
    """Download and unpack the suite's kernel. Returns its release."""
    options = archive.separate_apt(place / "apt", suite)
    release = newest(cache.run("apt-cache", *options, "show", "linux-image-amd64"))
    parts = [f"linux-{part}-{release}" for part in ("image", "binary", "modules")]  # newer kernels come in several
    known = set(cache.run("apt-cache", *options, "pkgnames", "linux-").split())
    names = [name for name in parts if name in known]
    cache.run("apt-get", *options, "-qq", "download", *names, cwd=place / "apt")
    for package in (place / "apt").glob("*.deb"):
        cache.run("dpkg", "-x", package, place / "unpacked")
    if not (place / "unpacked" / "lib").exists():  # merged /usr
        (place / "unpacked" / "lib").symlink_to("usr/lib")
    return release


def newest(shown: str) -> str:
    """The kernel release that the metapackage depends on, out of `apt-cache show`."""
    depends = next(line for line in shown.splitlines() if line.startswith("Depends:"))
    names = [word.strip(" ,") for word in depends.split()]
    return next(name for name in names if name.startswith("linux-image-")).removeprefix("linux-image-")


def _choose(tree: Path, release: str, modules: Sequence[str]) -> list[Path]:
    """The modules' files, each behind what it needs. What has no file is built in, or missed by the tests at once."""
    cache.run("depmod", "-b", tree, release)
    named = {path.name.partition(".")[0].replace("-", "_") for path in tree.rglob("*.ko*")}
    chosen: list[Path] = []
    for module in [module for module in modules if module in named]:
        listed = cache.run("modprobe", "-d", tree, "-S", release, "--show-depends", module)
        files = [Path(line.split()[1]) for line in listed.splitlines() if line.startswith("insmod")]
        chosen += [file for file in files if file not in chosen]
    return chosen


def _lay_modules(files: Sequence[Path], tree: Path, release: str) -> None:
    """Put modules, uncompressed, into a tree of their own."""
    place = tree / "lib" / "modules" / release
    place.mkdir(parents=True)
    source = next(parent for parent in files[0].parents if parent.name == release)
    for index in ("modules.builtin", "modules.builtin.modinfo", "modules.order"):
        if (source / index).exists():
            shutil.copy(source / index, place / index)
    for file in files:
        content = file.read_bytes()
        plain = lzma.decompress(content) if file.suffix == ".xz" else content
        (place / file.name.removesuffix(".xz")).write_bytes(plain)


def _pack_initrd(place: Path, modules: Sequence[Path], busybox: Path) -> None:
    root = place / "initrd"
    for directory in ("bin", "proc", "sys", "dev", "root", "modules"):
        (root / directory).mkdir(parents=True)
    shutil.copy(busybox, root / "bin" / "busybox")
    shutil.copy(HERE / "first_init.sh", root / "init")
    (root / "init").chmod(0o755)
    for number, file in enumerate(modules):  # the number keeps the order in which they can be loaded
        shutil.copy(file, root / "modules" / f"{number:02}-{file.name}")
    names = "\n".join(str(path.relative_to(root)) for path in sorted(root.rglob("*")))
    packed = subprocess.run(
        ["cpio", "--quiet", "-o", "-H", "newc"], cwd=root, input=names.encode(), capture_output=True, check=True
    )
    (place / "initrd.img").write_bytes(gzip.compress(packed.stdout, 1))

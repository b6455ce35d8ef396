"""What of this checkout goes into the guest: the package with its compiled module, the cases and pytest's settings."""

import importlib.metadata
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
PARTS: Final = (
    *("pyproject.toml", "agent", "udev", "docs/backup-software"),
    *("tests/__init__.py", "tests/kernel", "tests/real/pyscsi_peer.py"),
)
DEBIANS_PYTHON: Final = "/usr/bin/python3"  # the same version as the guest's, since it is the same release


def pack(file: Path) -> None:
    """Write the archive that the guest unpacks; compiled here, since compiling is slow under emulation."""
    with tempfile.TemporaryDirectory() as place:
        for part in PARTS:
            source, copy = ROOT / part, Path(place) / part
            copy.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, copy, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
            else:
                shutil.copy2(source, copy)
        _say_the_version(Path(place) / "agent")
        compiler = [DEBIANS_PYTHON, "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", place]
        if Path(DEBIANS_PYTHON).exists():
            subprocess.run(compiler, check=True)
        with tarfile.open(file, "w") as archive:
            archive.add(place, ".")


def _say_the_version(place: Path) -> None:
    """As an installation would, for who asks what version this is."""
    version = importlib.metadata.version("tapekey")
    about = place / f"tapekey-{version}.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: tapekey\nVersion: {version}\n")

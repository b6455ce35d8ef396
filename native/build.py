"""Builds the compiled modules of tapekey with cffi in API mode, each one shared object for every CPython from 3.11.

Run by setup.sh. Needs a C17 compiler and Python's headers. A module whose own headers are missing is left out, which is
said: without `tapekey.native` (OpenSSL, the kernel's SCSI generic driver) there is no SG_IO, tape nodes are not watched
and key wrap is slower; without `tapekey.native_iscsi` (libiscsi) no drive is reached by iscsi:// URIs. All else works.
"""

import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from cffi import FFI
from cffi.recompiler import VerificationError  # type: ignore[attr-defined]

HERE = Path(__file__).parent
PACKAGE = HERE.parent / "agent" / "tapekey"


@dataclass(frozen=True)
class Module:
    """A shared object: its C sources here, what it is linked with, what is missing without it."""

    name: str
    sources: tuple[str, ...]
    libraries: tuple[str, ...]
    without: str


MODULES = (
    Module(
        "native",
        ("sgio", "keywrap", "notify"),
        ("crypto",),
        "no SG_IO, no news of opened tape nodes, and key wrap is slower",
    ),
    Module("native_iscsi", ("iscsi",), ("iscsi",), "no iscsi:// URIs (install libiscsi-dev)"),
)


def declarations(module: Module) -> str:
    """The headers as cffi reads them: without preprocessor lines."""
    lines = "\n".join((HERE / f"{name}.h").read_text() for name in module.sources).splitlines()
    return "\n".join(line for line in lines if not line.startswith("#"))


def build(module: Module) -> Path:
    """Compile, and put the shared object into the package."""
    ffi = FFI()
    ffi.cdef(declarations(module))
    ffi.set_source(
        f"tapekey.{module.name}",
        "".join(f'#include "{name}.h"\n' for name in module.sources),
        sources=[str(HERE / f"{name}.c") for name in module.sources],
        include_dirs=[str(HERE)],
        libraries=list(module.libraries),
        extra_compile_args=["-std=gnu17", "-O2", "-Wall", "-Wextra"],
        py_limited_api=True,
    )
    with tempfile.TemporaryDirectory() as place:
        made = Path(ffi.compile(tmpdir=place))
        for old in PACKAGE.glob(f"{module.name}.*.so"):
            old.unlink()
        return Path(shutil.copy2(made, PACKAGE / made.name))


def main() -> None:
    missing = []
    for module in MODULES:
        try:
            print(f"built {build(module).name}")  # noqa: T201
        except (VerificationError, OSError, SystemExit) as error:
            missing.append(f"tapekey.{module.name} was not built ({error}): {module.without}; all else works")
    if missing:
        sys.exit("\n".join(missing))


if __name__ == "__main__":
    main()

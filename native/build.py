"""Builds `tapekey.native` with cffi in API mode: one shared object beside the package, for every CPython from 3.11.

Run by setup.sh. Needs a C17 compiler and the headers of Python, OpenSSL and the kernel's SCSI generic driver; without
them it says so and leaves everything but SG_IO and fast key wrap working.
"""

import shutil
import sys
import tempfile
from pathlib import Path

from cffi import FFI
from cffi.recompiler import VerificationError  # type: ignore[attr-defined]

HERE = Path(__file__).parent
PACKAGE = HERE.parent / "agent" / "tapekey"
SOURCES = ("sgio", "keywrap")


def declarations() -> str:
    """The headers as cffi reads them: without preprocessor lines."""
    lines = "\n".join((HERE / f"{name}.h").read_text() for name in SOURCES).splitlines()
    return "\n".join(line for line in lines if not line.startswith("#"))


def build() -> Path:
    """Compile, and put the shared object into the package."""
    ffi = FFI()
    ffi.cdef(declarations())
    ffi.set_source(
        "tapekey.native",
        "".join(f'#include "{name}.h"\n' for name in SOURCES),
        sources=[str(HERE / f"{name}.c") for name in SOURCES],
        include_dirs=[str(HERE)],
        libraries=["crypto"],
        extra_compile_args=["-std=gnu17", "-O2", "-Wall", "-Wextra"],
        py_limited_api=True,
    )
    with tempfile.TemporaryDirectory() as place:
        made = Path(ffi.compile(tmpdir=place))
        for old in PACKAGE.glob("native.*.so"):
            old.unlink()
        return Path(shutil.copy2(made, PACKAGE / made.name))


if __name__ == "__main__":
    try:
        print(f"built {build().name}")  # noqa: T201
    except (VerificationError, OSError, SystemExit) as error:
        sys.exit(f"tapekey.native was not built ({error}): no SG_IO, and key wrap is slower; all else works")

"""The compiled module of native/build.py for libiscsi: cffi's two doors to it."""

from typing import Any

ffi: Any
lib: Any

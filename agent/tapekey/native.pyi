"""The compiled module of native/build.py: cffi's two doors to it."""

from typing import Any

ffi: Any
lib: Any

"""The small buffers that READ BUFFER and WRITE BUFFER reach; they hold nothing of the medium."""

from dataclasses import dataclass
from typing import Final

SIZE: Final = 4_096


@dataclass(slots=True)
class Buffers:
    """The general buffer, and the echo buffer with the nexus that wrote it."""

    general: bytes = bytes(SIZE)
    echo: bytes = b""
    echoed_by: str = ""

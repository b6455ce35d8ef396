"""What is on a medium, read on the host by the target's own reader: how much of it is clear."""

from dataclasses import dataclass
from pathlib import Path

from tapekey.target.medium_log import Log
from tapekey.target.medium_record import Kind


@dataclass(frozen=True, slots=True)
class Found:
    """Blocks that are clear and that are encrypted, and filemarks."""

    clear: int = 0
    encrypted: int = 0
    filemarks: int = 0

    @property
    def objects(self) -> int:
        return self.clear + self.encrypted + self.filemarks


def read(tape: Path) -> Found:
    """Count what a cartridge holds that lies in no drive."""
    log = Log.open(tape / "partition-0.log", writable=False)
    clear = encrypted = 0
    try:
        for number in range(log.objects):
            header = log.read_header(number)
            if header.kind is Kind.BLOCK and header.block is not None:
                encrypted += header.block.seal is not None
                clear += header.block.seal is None
        return Found(clear, encrypted, log.objects - clear - encrypted)
    finally:
        log.close()

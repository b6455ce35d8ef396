"""What is on a cartridge, read from its files by the host: clear blocks, encrypted ones, and whose key it was."""

from dataclasses import dataclass
from pathlib import Path

from tapekey.target.medium_layout import Layout
from tapekey.target.medium_log import Log


@dataclass(frozen=True, slots=True)
class Verdict:
    """`clear`: blocks that the log says are not encrypted. `seen`: a needle lies somewhere in the files all the same.

    `kads`: the key-associated data beside the encrypted blocks, in hex, each once.
    """

    clear: int
    encrypted: int
    seen: bool
    kads: tuple[str, ...]


def judge(cartridge: Path, needles: tuple[bytes, ...] = ()) -> Verdict:
    """Look at a cartridge that no drive holds. What was overwritten but still lies in a file counts as seen."""
    clear = encrypted = 0
    kads: dict[str, None] = {}
    layout = Layout.load(cartridge)
    for partition in layout.partitions:
        log = Log.open(cartridge / partition.file, writable=False)
        try:
            for number in range(log.objects):
                block = log.read_header(number).block
                if block is None:
                    continue
                if block.seal is None:
                    clear += 1
                else:
                    encrypted += 1
                    kads.setdefault((block.seal.authenticated + block.seal.unauthenticated).hex())
        finally:
            log.close()
    stored = b"\0".join((cartridge / partition.file).read_bytes() for partition in layout.partitions)
    return Verdict(clear, encrypted, any(needle in stored for needle in needles), tuple(kads))

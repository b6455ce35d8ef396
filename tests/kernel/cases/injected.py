"""Faults put into single commands by scsi_debug's debugfs, which kernels have since 6.7.

A rule is `TYPE COUNT OPCODE ...`: 0 leaves the command unanswered, 2 ends it with the host status, driver status,
target status, sense key, ASC and ASCQ that are named. A negative count is how often. `- TYPE OPCODE` takes it away.
Unanswered is only one command: the kernel's own TEST UNIT READY, by which it recovers, is to be answered again.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tapekey.discovery.sysfs import Node
from tests.kernel.cases import simulated

OFTEN = -10_000
UNANSWERED, ANSWERED = 0, 2
CHECK_CONDITION, BUSY = 0x02, 0x08


@dataclass(frozen=True, slots=True)
class Fault:
    """What becomes of a command; nothing named: it is never answered."""

    host: int = 0
    status: int = 0
    sense: tuple[int, int, int] = (0, 0, 0)
    answered: bool = True

    @property
    def patience(self) -> float:
        """Seconds for a command. The kernel itself asks a busy device again until the time is up."""
        return 0.3 if self.status == BUSY or not self.answered else 5.0

    def rule(self, opcode: int) -> str:
        if not self.answered:
            return f"{UNANSWERED} -1 {opcode:#x}"
        key, asc, ascq = self.sense
        return f"{ANSWERED} {OFTEN} {opcode:#x} {self.host:#x} 0 {self.status:#x} {key:#x} {asc:#x} {ascq:#x}"


def sense(key: int, asc: int, ascq: int) -> Fault:
    return Fault(status=CHECK_CONDITION, sense=(key, asc, ascq))


def rules(node: Node) -> Path:
    """The file that takes rules."""
    return simulated.DEBUG / node.hctl / "error"


@contextmanager
def fault(node: Node, opcode: int, injected: Fault) -> Iterator[None]:
    """While this lasts, every command of that opcode suffers the fault."""
    file = rules(node)
    file.write_text(injected.rule(opcode))
    try:
        yield
    finally:
        file.write_text(f"- {ANSWERED if injected.answered else UNANSWERED} {opcode:#x}")

"""The audit chain: numbered lines of canonical JSON, each naming the SHA-256 of the line before it.

The newest number and hash are kept in an authenticated head, so that a cut tail is found too. Values from
outside are escaped and capped in length; bytes are not accepted at all, so no key can get here by mistake.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from tapekey.errors import StoreDamaged

START: Final = bytes(32)
LONGEST: Final = 256

Fact = str | int | None


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the chain as it was written."""

    seq: int
    time: str
    event: str
    alarm: bool
    facts: Mapping[str, Fact]
    previous: str
    text: str


def stamp(now: datetime) -> str:
    """A time as the store writes it: UTC, ISO 8601, microseconds."""
    if now.tzinfo is None:
        raise ValueError("a time without zone")
    return now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def written(value: Fact) -> Fact:
    """A value as it may stand in a line: printable, and not longer than LONGEST."""
    if value is None or isinstance(value, int):
        return value
    if not isinstance(value, str):
        raise ValueError(f"an audit line takes no {type(value).__name__}")
    shown = value[: LONGEST + 1]
    if not shown.isprintable():
        shown = "".join(char if char.isprintable() else ascii(char)[1:-1] for char in shown)
    return shown if len(shown) <= LONGEST else shown[: LONGEST - 3] + "..."


def compose(seq: int, time: str, event: str, alarm: bool, facts: Mapping[str, Fact], previous: bytes) -> str:
    """The text of a line."""
    body: dict[str, object] = {"seq": seq, "time": time, "event": written(event), "previous": previous.hex()}
    body["alarm"] = int(alarm)
    body["facts"] = {str(written(name)): written(value) for name, value in facts.items()}
    return json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def hash_of(text: str) -> bytes:
    """What the next line names as its predecessor."""
    return hashlib.sha256(text.encode()).digest()


def parse(text: str) -> Line:
    """Read a line back; StoreDamaged if it is none."""
    try:
        body = json.loads(text)
        return Line(
            seq=int(body["seq"]),
            time=str(body["time"]),
            event=str(body["event"]),
            alarm=bool(body["alarm"]),
            facts=dict(body["facts"]),
            previous=str(body["previous"]),
            text=text,
        )
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        raise StoreDamaged("an audit line does not decode") from error


def check(lines: Iterable[tuple[int, str, bool]], head_seq: int, head_hash: bytes) -> int:
    """Verify the chain from its first line; StoreDamaged names the first bad one. Returns how many there are.

    `lines` are (number, text, whether the row's own tag verifies), in the order of their numbers.
    """
    expected, previous = 1, START
    for seq, text, authentic in lines:
        if seq != expected:
            raise bad_line(expected, f"it is missing; line {seq} follows line {expected - 1}")
        if not authentic:
            raise bad_line(seq, "it was changed")
        line = parse(text)
        if line.seq != seq or line.previous != previous.hex():
            raise bad_line(seq, "it does not continue the line before it")
        expected, previous = seq + 1, hash_of(text)
    if expected - 1 < head_seq:
        raise bad_line(expected, f"it is missing; the chain had {head_seq} lines")
    if expected - 1 > head_seq or previous != head_hash:
        raise bad_line(expected - 1, "it is not the line that the chain's head names")
    return head_seq


def bad_line(seq: int, why: str) -> StoreDamaged:
    """The error that names a line."""
    return StoreDamaged(
        f"audit line {seq} does not verify", why=why, mend="compare with a backup; find out who wrote to the keystore"
    )

"""What all measurements share: a clock, pairs, and the form of a figure."""

import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

ROUNDS = 11

# {name: {ratio or value, unit, against, rounds}}
Figures = dict[str, dict[str, Any]]


def timed(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def paired(ours: Callable[[], object], theirs: Callable[[], object], rounds: int = ROUNDS) -> float:
    """How many times faster ours is: the median of the ratios of pairs run one after the other."""
    timed(ours), timed(theirs)
    return statistics.median(timed(theirs) / timed(ours) for _ in range(rounds))


def median_ratio(slower: Sequence[float], faster: Sequence[float]) -> float:
    """The median of the ratios of what was measured in the same round."""
    return statistics.median(first / second for first, second in zip(slower, faster, strict=True))

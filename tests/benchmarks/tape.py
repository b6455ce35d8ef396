"""Tapes over iSCSI: our library and Debian's tgt side by side, driven by one initiator program (stream.c).

Each block size gets targets of its own, fresh: a tgtd that has once served larger blocks takes its buffers from a
heap that is already there, and is faster from then on than one whose blocks are all alike. One round runs every
contestant once, writing and then reading the same blocks; ratios are of seconds of the same round. The last thing in a
write is a filemark, which is when our target makes the data durable.
"""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.benchmarks import library, tgt
from tests.benchmarks.figures import Figures, median_ratio

SIZES: Final = {"64k": 64 << 10, "256k": 256 << 10, "1m": 1 << 20}
FOUR: Final = 4
TICKS: Final = os.sysconf("SC_CLK_TCK")
REAL_TIME: Final = "10"  # a priority of SCHED_FIFO
ROOM: Final = 1.25  # times what is written: headers, and early warning


@dataclass
class Contestant:
    """One target in one setting. `prepare` brings it into the setting before each run."""

    process: int
    urls: list[str]
    pattern: str = "random"
    prepare: Callable[[], None] = lambda: None
    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    spent: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def run(self, stream: list[str], task: str, block: int, megabytes: int) -> None:
        """Move so many megabytes in all, and note time and the target's processor time per gigabyte."""
        count = (megabytes << 20) // block // len(self.urls)
        self.prepare()
        before = processor_time(self.process)
        told = subprocess.run(
            [*stream, task, str(block), str(count), self.pattern, *self.urls],
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
        )
        gigabytes = count * block * len(self.urls) / 1e9
        self.seconds[task].append(float(told.stdout))
        self.spent[task].append((processor_time(self.process) - before) / gigabytes)


def processor_time(process: int) -> float:
    """User and system seconds of a process with all its threads and children (proc(5), fields 14 and 15)."""
    children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    return sum(map(_of_one, [process, *map(int, children)]))


def _of_one(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def measure(place: Path, rounds: int, megabytes: int, *, real_time: bool = False) -> Figures:
    """Everything, or nothing where the peer cannot be run. `real_time`: before whatever else this host does."""
    figures: Figures = {}
    if shutil.which("tgtd") is None or os.geteuid():
        print("tapes over iSCSI are not measured: Debian's tgt is not installed, or this is not root", file=sys.stderr)
        return figures
    with tempfile.TemporaryDirectory(prefix="tapekey-bench-", dir=place) as made:
        stream = Path(made) / "stream"
        source = Path(__file__).with_name("stream.c")
        subprocess.run(["gcc", "-O2", "-o", stream, source, "-liscsi"], check=True)
        for name, block in SIZES.items():
            with tempfile.TemporaryDirectory(dir=made) as tapes:
                figures |= one_size(Path(tapes), stream, name, block, rounds, megabytes, real_time=real_time)
    return figures


def one_size(
    place: Path, stream: Path, name: str, block: int, rounds: int, megabytes: int, *, real_time: bool
) -> Figures:
    room = round(megabytes * ROOM) + 16
    with tgt.serve(place, FOUR, room) as (peer, plain, tuned), library.serve(place, FOUR, room) as (ours, urls):
        alone = {
            "tgt": Contestant(peer, plain[:1]),
            "tuned tgt": Contestant(peer, tuned[:1]),
            "clear": Contestant(ours, urls[:1], prepare=library.setting(stream, urls, key=False, compress=False)),
            "encrypted": Contestant(ours, urls[:1], prepare=library.setting(stream, urls, key=True, compress=False)),
            "compressed": Contestant(ours, urls[:1], prepare=library.setting(stream, urls, key=True, compress=True)),
            "compressed text": Contestant(
                ours, urls[:1], "text", prepare=library.setting(stream, urls, key=True, compress=True)
            ),
        }
        four = {
            "tgt": Contestant(peer, plain),
            "tuned tgt": Contestant(peer, tuned),
            "encrypted": Contestant(ours, urls, prepare=library.setting(stream, urls, key=True, compress=False)),
        }
        for process in (peer, ours) if real_time else ():
            subprocess.run(["chrt", "-a", "-f", "-p", REAL_TIME, str(process)], check=True)
        initiator = [*(("chrt", "-f", REAL_TIME) if real_time else ()), str(stream)]
        race(initiator, alone, block, rounds, megabytes)
        figures = of_one(name, alone, rounds, megabytes)
        if name != "1m":
            race(initiator, four, block, rounds, megabytes)
            figures |= of_four(name, four, rounds)
    return figures


def race(stream: list[str], contestants: dict[str, Contestant], block: int, rounds: int, megabytes: int) -> None:
    """A round that is not counted warms files and buffers; then each round begins with another contestant."""
    order = list(contestants.values())
    for number in range(rounds + 1):
        for each in order:
            each.run(stream, "write", block, megabytes)
            each.run(stream, "read", block, megabytes)
        if number == 0:
            for each in order:
                each.seconds.clear()
                each.spent.clear()
        order = order[1:] + order[:1]


def of_one(name: str, found: dict[str, Contestant], rounds: int, megabytes: int) -> Figures:
    figures: Figures = {}
    for task in ("write", "read"):
        ours = found["encrypted"].seconds[task]
        for peer, words in (("tuned tgt", "vs_tgt"), ("tgt", "vs_tgt_default")):
            figures[f"tape_{task}_{name}_{words}"] = ratio(found[peer].seconds[task], ours, f"{peer}, {task}", rounds)
        if name == "256k":
            clear = ratio(found["clear"].seconds[task], ours, f"our {task} in clear", rounds)
            figures[f"tape_{task}_encrypted_vs_clear"] = clear
        for who, each in found.items():
            speed = statistics.median(megabytes * 1.048576 / seconds for seconds in each.seconds[task])
            figures[f"tape_{task}_{name}_{who}_mb_s".replace(" ", "_")] = value(speed, "MB/s", who, rounds)
            spent = statistics.median(each.spent[task])
            figures[f"tape_{task}_{name}_{who}_cpu_s_per_gb".replace(" ", "_")] = value(spent, "s/GB", who, rounds)
    if name == "256k":
        both = [(figures[f"tape_{task}_256k_encrypted_cpu_s_per_gb"]["value"]) for task in ("write", "read")]
        figures["tape_cpu_s_per_gb"] = value(max(both), "s/GB", "the worse of writing and reading, encrypted", rounds)
        both = [figures[f"tape_{task}_encrypted_vs_clear"]["ratio"] for task in ("write", "read")]
        worse = {"ratio": min(both), "unit": "x", "against": "the same in clear, the worse of both", "rounds": rounds}
        figures["tape_encrypted_vs_clear"] = worse
    return figures


def of_four(name: str, found: dict[str, Contestant], rounds: int) -> Figures:
    figures: Figures = {}
    for task in ("write", "read"):
        for peer, words in (("tuned tgt", "vs_tgt"), ("tgt", "vs_tgt_default")):
            against = f"{peer}, {task}, four drives at once"
            ours = found["encrypted"].seconds[task]
            figures[f"tape_{task}_{name}_four_{words}"] = ratio(found[peer].seconds[task], ours, against, rounds)
        spent = statistics.median(found["encrypted"].spent[task])
        figures[f"tape_{task}_{name}_four_cpu_s_per_gb"] = value(spent, "s/GB", "four drives at once", rounds)
    return figures


def ratio(theirs: list[float], ours: list[float], against: str, rounds: int) -> dict[str, object]:
    return {"ratio": median_ratio(theirs, ours), "unit": "x", "against": against, "rounds": rounds}


def value(number: float, unit: str, against: str, rounds: int) -> dict[str, object]:
    return {"value": number, "unit": unit, "against": against, "rounds": rounds}

"""`make bench`: figures against named peers and limits, measured in one run, interleaved, as paired medians.

Prints a line for each and writes build/bench.json: {name: {ratio or value, unit, against, rounds}}, and under `machine`
on what it was measured. Nothing here is a test: a figure that falls short is printed like any other. `--only FAMILY`
runs one family and keeps the others' figures in the file.
"""

import argparse
import json
import os
import platform
import sys
from collections.abc import Callable
from pathlib import Path

from tests.benchmarks import key_wrap, mount_ready, saving, sg_io, status, tape
from tests.benchmarks.figures import Figures

ROOT = Path(__file__).parents[2]


def machine() -> dict[str, object]:
    """What it is measured on."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 30
    return {
        "processor": model,
        "processors": os.cpu_count(),
        "memory_gib": memory,
        "kernel": platform.release(),
        "python": platform.python_version(),
    }


def main() -> None:
    words = arguments()
    families: dict[str, Callable[[], Figures]] = {
        "key-wrap": lambda: key_wrap.wrap_one() | key_wrap.rewrap_many(),
        "sg-io": sg_io.sgio_overhead,
        "saving": saving.save_overhead,
        "mount": mount_ready.mount_ready,
        "status": status.status_beside_click,
        "tape": lambda: tape.measure(words.place, words.rounds, words.megabytes, real_time=words.real_time),
    }
    told = machine()
    print("machine: {processors} x {processor}, {memory_gib} GiB, Linux {kernel}, Python {python}".format(**told))
    target = ROOT / "build" / "bench.json"
    figures: Figures = json.loads(target.read_text()) if words.only and target.exists() else {}
    figures["machine"] = told
    for family, measure in families.items():
        if words.only in (None, family):
            measured = measure()
            figures |= measured
            for name, figure in measured.items():
                shown = figure.get("ratio", figure.get("value"))
                print(
                    f"{name:34} {shown:9.2f} {figure['unit']:4} against {figure['against']}, {figure['rounds']} rounds"
                )
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps(figures, indent=2) + "\n")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--only", choices=("key-wrap", "sg-io", "saving", "mount", "status", "tape"))
    parser.add_argument("--place", type=Path, default=Path("/dev/shm"), help="directory for tapes, peers' and ours")
    parser.add_argument("--rounds", type=int, default=5, help="of the tape family")
    parser.add_argument("--megabytes", type=int, default=256, help="that each tape stream moves")
    parser.add_argument("--real-time", action="store_true", help="tapes: before whatever else a busy host does")
    return parser.parse_args()


if __name__ == "__main__":
    if sys.argv[1:2] == ["sgio"]:
        print(json.dumps(sg_io.measure_sgio(sys.argv[2])))
    else:
        main()

"""`make bench`: figures against a named peer or limit, measured in one run, interleaved, as paired medians.

Prints a line for each and writes build/bench.json: {name: {ratio or value, unit, against, rounds}}. Nothing here is a
test: a figure that falls short is printed like any other.
"""

import ctypes
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import keywrap as pyca
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from tapekey.exchange import Command, Reply, Transport
from tapekey.keys import kek
from tapekey.secret import Secret
from tapekey.transport import sgio
from tests.rig import rig

ROOT = Path(__file__).parents[2]
ROUNDS = 11
SINGLE = 20_000
MANY = 100_000
BLOCKS = 2 * 6 * 4  # AES blocks of unwrapping and wrapping one 32-byte key

Figures = dict[str, dict[str, Any]]


def timed(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def paired(ours: Callable[[], object], theirs: Callable[[], object], rounds: int = ROUNDS) -> float:
    """How many times faster ours is: the median of the ratios of pairs run one after the other."""
    timed(ours), timed(theirs)
    return statistics.median(timed(theirs) / timed(ours) for _ in range(rounds))


def wrap_one() -> Figures:
    outer, key = Secret(os.urandom(32)), Secret(os.urandom(32))
    outer_bytes, key_bytes = bytes(outer.reveal()), bytes(key.reveal())
    with kek.opened(outer) as opened:
        wrap, peer = opened.wrap, pyca.aes_key_wrap

        def ours() -> None:
            for _ in range(SINGLE):
                wrap(key)

        def theirs() -> None:
            for _ in range(SINGLE):
                peer(outer_bytes, key_bytes)

        ratio = paired(ours, theirs)
    return {"keywrap_one": {"ratio": ratio, "unit": "x", "against": "cryptography aes_key_wrap", "rounds": ROUNDS}}


def rewrap_many() -> Figures:
    old, new = Secret(os.urandom(32)), Secret(os.urandom(32))
    old_bytes, new_bytes = bytes(old.reveal()), bytes(new.reveal())
    encryptor = Cipher(algorithms.AES(new_bytes), modes.ECB()).encryptor()  # noqa: S305 (the limit, not a use)
    blocks = bytearray(16 * MANY)
    with kek.opened(old) as before, kek.opened(new) as after:
        wrapped = before.wrap_all(Secret(os.urandom(32 * MANY)), 32)

        def ours() -> None:
            before.rewrap_all(after, wrapped, 40)

        def theirs() -> None:
            for at in range(0, len(wrapped), 40):
                pyca.aes_key_wrap(new_bytes, pyca.aes_key_unwrap(old_bytes, wrapped[at : at + 40]))

        def limit() -> None:
            for _ in range(BLOCKS):
                encryptor.update_into(blocks, bytearray(16 * MANY + 15))

        against_peer = paired(ours, theirs, 5)
        against_limit = paired(ours, limit, 5)
    return {
        "keywrap_rewrap_100k": {"ratio": against_peer, "unit": "x", "against": "a loop of cryptography", "rounds": 5},
        "keywrap_vs_limit": {
            "ratio": against_limit,
            "unit": "x",
            "against": "as many AES blocks by bare ECB calls",
            "rounds": 5,
        },
    }


def sgio_overhead() -> Figures:
    """In a child, because the device that answers at once is preloaded."""
    with tempfile.TemporaryDirectory() as place:
        library = Path(place) / "answer.so"
        source = Path(__file__).with_name("answer.c")
        subprocess.run(["gcc", "-O2", "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
        command = [sys.executable, "-m", "tests.benchmarks", "sgio", str(library)]
        environ = {**os.environ, "LD_PRELOAD": str(library)}
        done = subprocess.run(command, cwd=ROOT, env=environ, check=True, capture_output=True, text=True, timeout=120)
    return dict(json.loads(done.stdout))


def measure_sgio(library: str) -> Figures:
    """Microseconds that our call costs over the bare ioctl, for an INQUIRY of 96 bytes."""
    bare = ctypes.CDLL(library).bare_loop
    bare.restype, bare.argtypes = ctypes.c_double, (ctypes.c_int, ctypes.c_int, ctypes.c_uint)
    inquiry = Command(bytes([0x12, 0, 0, 0, 96, 0]), data_in_max=96)
    with sgio.open_device("/dev/null") as device, open("/dev/null", "rb") as null:

        def ours() -> None:
            for _ in range(SINGLE):
                device.execute(inquiry)

        costs = [timed(ours) / SINGLE - bare(null.fileno(), SINGLE, 96) for _ in range(ROUNDS)]
    value = statistics.median(costs) * 1e6
    return {"sgio_overhead_us": {"value": value, "unit": "us", "against": "a bare ioctl from C", "rounds": ROUNDS}}


class Stopwatch:
    """A transport that counts commands and the time inside them."""

    def __init__(self, inner: Transport) -> None:
        self.inner, self.commands, self.seconds = inner, 0, 0.0

    def execute(self, command: Command) -> Reply:
        began = time.perf_counter()
        try:
            return self.inner.execute(command)
        finally:
            self.seconds += time.perf_counter() - began
            self.commands += 1


def save_overhead() -> Figures:
    """Milliseconds of a whole save outside SCSI commands, the store's commits included."""
    outside, commands = [], 0
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory() as place, rig(Path(place), "ibm-lto6") as bench:
            watch = Stopwatch(bench.host)
            took = timed(lambda bench=bench, watch=watch: bench.save(over=watch))  # type: ignore[misc]
            outside.append((took - watch.seconds) * 1e3)
            commands = watch.commands
    value = statistics.median(outside)
    against = f"a save's total less its {commands} SCSI commands"
    return {"save_overhead_ms": {"value": value, "unit": "ms", "against": against, "rounds": ROUNDS}}


def processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")


def main() -> None:
    figures: Figures = {}
    print(f"machine: {os.cpu_count()} x {processor()}, Python {platform.python_version()}")
    for measure in (wrap_one, rewrap_many, sgio_overhead, save_overhead):
        for name, figure in measure().items():
            figures[name] = figure
            shown = figure.get("ratio", figure.get("value"))
            print(f"{name:24} {shown:9.2f} {figure['unit']:3} against {figure['against']}, {figure['rounds']} rounds")
    target = ROOT / "build" / "bench.json"
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    if sys.argv[1:2] == ["sgio"]:
        print(json.dumps(measure_sgio(sys.argv[2])))
    else:
        main()

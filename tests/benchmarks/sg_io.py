"""What our SG_IO call costs over the bare ioctl."""

import ctypes
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from tapekey.exchange import Command
from tapekey.transport import sgio
from tests.benchmarks.figures import ROUNDS, Figures, timed

ROOT = Path(__file__).parents[2]
SINGLE = 20_000


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

"""The race of real writers against the agent, on real kernels: `python -m tests.kernel.race [--runs N]`, as root.

Two guests at once, one for each kernel, and a library of many drives for each. Bounded in time; what was run until then
is told, as a table of clear blocks per guard. The end is 0 only when no guard broke its promise.
"""

import argparse
import shlex
import shutil
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

from tests.kernel import archive, checkout, guest, guest_image
from tests.kernel.cache import Unavailable
from tests.kernel.race import evidence, outcome, shelf
from tests.kernel.race.outcome import Outcome

JOB = """\
mkdir /run/checkout && cd /run/checkout && busybox tar -xf /mnt/checkout.tar || exit 99
export PYTHONPATH=/run/checkout:/run/checkout/agent PYTHONUNBUFFERED=1
python3 -m tests.kernel.race.conductor {words}
"""
LONGER = 300.0  # seconds that a guest may take beyond, to boot and to end its last round


def main(words: list[str]) -> int:
    options = _options(words)
    images = _images(options.kernel)
    each = -(-options.runs // max(1, len(images)))
    with ThreadPoolExecutor() as guests:
        done = list(guests.map(lambda image: _run(image, options, each), images))
    found = [each for _, some in done for each in some]
    wrong = outcome.broken(found)
    told = Counter(each.release for each in found)
    print(f"\n{len(found)} runs ({', '.join(f'{count} on kernel {name}' for name, count in told.items())})\n")
    print("\n".join([*outcome.table(found), "", *wrong]))
    return int(bool(wrong) or not found or any(status for status, _ in done))


def _options(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.kernel.race", description=__doc__)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--drives", type=int, default=12)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--seconds", type=int, default=7200)
    parser.add_argument("--kernel", default="", help="only the one whose release begins like this")
    parser.add_argument("--absent", action="store_true", help="no agent at all, to see what the race is without one")
    parser.add_argument("--brief", action="store_true", help="as `make test-kernel` runs it: short loads, early starts")
    parser.add_argument("--ungated", action="store_true", help="only rounds without the gate: hook and watched")
    parser.add_argument("--keep", type=Path, help="directory for the results")
    return parser.parse_args(words)


def _images(wanted: str) -> list[guest_image.Image]:
    images = []
    for suite in dict.fromkeys((archive.own_suite(), guest_image.BACKPORTS)):
        try:
            image = guest_image.image(suite)
        except Unavailable as reason:
            print(f"kernel guest: no kernel from {suite}: {reason}", flush=True)
            continue
        if image.release.startswith(wanted):
            images.append(image)
    return images


def _run(image: guest_image.Image, options: argparse.Namespace, wanted: int) -> tuple[int, list[Outcome]]:
    release = image.release[:4].strip(".")
    with ExitStack() as stack:
        share = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        shelf.compile_writer(share)
        checkout.pack(share / "checkout.tar")
        served = stack.enter_context(shelf.serve(share, options.drives))
        more = [word for word in ("absent", "brief", "ungated") if getattr(options, word)]
        asked = (served, options.seed + len(release), wanted, options.drives, options.seconds, *more)
        job = JOB.format(words=shlex.join(str(word) for word in asked))
        limit = options.seconds + LONGER
        status = 1
        try:
            ended = guest.run(image, share, job, limit=limit, say=lambda line: print(f"{release}  {line}", flush=True))
            print(f"kernel guest {image.release}: job began at {ended.booted:.1f} s, ended at {ended.seconds:.1f} s")
            status = ended.status
        except guest.GuestFailed as error:
            print(f"kernel guest {image.release}: {error}", flush=True)
        if options.keep:
            _keep(share, options.keep / release)
        return status, evidence.outcomes(share, release)


def _keep(share: Path, place: Path) -> None:
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    for name in ("results.jsonl", "agent.log", "library.log", "root.key"):
        if (share / name).exists():
            shutil.copy(share / name, place / name)
    if (share / "keystore-after").exists():
        shutil.copytree(share / "keystore-after", place / "keystore-after")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

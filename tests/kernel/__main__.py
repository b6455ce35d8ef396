"""Runs the cases on real kernels: `python -m tests.kernel [pytest arguments]`, as root, a guest for each at once.

Every case is told with its time on each kernel. A kernel that is not to be had here is left out, and the reason said.
"""

import shlex
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from tests.kernel import archive, checkout, guest, guest_image, library, tape_target
from tests.kernel.cache import Unavailable

SKIPPED = "left out: "
LIMIT = 2400.0  # seconds for one guest, from power-on to power-off

JOB = """\
mkdir /run/checkout && cd /run/checkout && busybox tar -xf /mnt/checkout.tar || exit 99
export PYTHONPATH=/run/checkout:/run/checkout/agent PYTHONUNBUFFERED=1
python3 -m pytest -v {arguments}
"""
SETTINGS = (
    *("-p", "no:cacheprovider", "-o", "console_output_style=classic"),
    *("-o", "junit_family=xunit1", "--junit-xml=/mnt/results.xml"),
)


@dataclass(frozen=True, slots=True)
class Case:
    """One case as it went: passed, failed, or why it was skipped."""

    name: str
    seconds: float
    outcome: str
    measured: str = ""

    @property
    def good(self) -> bool:
        return self.outcome != "FAILED"


def main(arguments: list[str]) -> int:
    """Run on both kernels; 0 when every case passed on each kernel that is to be had, and there was one."""
    images = []
    wrong = False
    for suite in dict.fromkeys((archive.own_suite(), guest_image.BACKPORTS)):
        try:
            images.append(guest_image.image(suite))
        except Unavailable as reason:
            print(f"kernel guest: no kernel from {suite}: {reason}", flush=True)
            wrong |= suite == archive.own_suite()  # its absence is not for this machine to excuse
    with ThreadPoolExecutor() as guests:
        ran = list(guests.map(lambda image: _run(image, arguments), images))
    for image, (cases, status) in zip(images, ran, strict=True):
        _tell(image.release, cases)
        wrong |= status != 0 or not cases or not all(case.good for case in cases)
    return int(wrong)


def _run(image: guest_image.Image, arguments: list[str]) -> tuple[list[Case], int]:
    """One guest, all cases."""
    with ExitStack() as stack:
        share = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        target = stack.enter_context(tape_target.serve())
        served = stack.enter_context(library.serve(share))
        jobs = stack.enter_context(library.serve(share, library.JOBS))
        checkout.pack(share / "checkout.tar")
        words = [*SETTINGS, "tests/kernel/cases", f"--tape-target={target}", f"--library={served}", f"--jobs={jobs}"]
        job = JOB.format(arguments=shlex.join([*words, *arguments]))
        ended = guest.run(
            image, share, job, limit=LIMIT, say=lambda line: print(f"{image.release[:4]}  {line}", flush=True)
        )
        print(f"kernel guest {image.release}: job began at {ended.booted:.1f} s, ended at {ended.seconds:.1f} s")
        return list(_cases(share / "results.xml")), ended.status


def _cases(results: Path) -> Iterator[Case]:
    if not results.exists():
        return
    for case in ElementTree.parse(results).getroot().iter("testcase"):  # noqa: S314 - written by our own pytest
        skipped = case.find("skipped")
        bad = case.find("failure") is not None or case.find("error") is not None
        outcome = "FAILED" if bad else "passed" if skipped is None else f"{SKIPPED}{skipped.get('message')}"
        group = case.get("classname", "").rpartition(".")[2].removeprefix("test_")
        measured = ", ".join(f"{each.get('name')} {each.get('value')}" for each in case.iter("property"))
        yield Case(f"{group}: {case.get('name')}", float(case.get("time", "0")), outcome, measured)


def _tell(release: str, cases: list[Case]) -> None:
    print(f"\nkernel {release}: {len(cases)} cases, {sum(case.seconds for case in cases):.0f} s of guest time")
    left_out = Counter(case.outcome for case in cases if case.outcome.startswith(SKIPPED))
    for case in cases:
        if case.outcome not in left_out:
            print(f"{case.seconds:7.2f} s  {case.outcome}  {case.name}{case.measured and f' ({case.measured})'}")
    for reason, count in left_out.items():
        print(f"{count} cases {reason}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

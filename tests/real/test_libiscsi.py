"""libiscsi's own tools against the portal: iscsi-ls, iscsi-inq, and every test of iscsi-test-cu.

Debian's libiscsi-bin 1.19. iscsi-test-cu is made for disks: it ends at once on a device without READ CAPACITY, which
a relay answers (`capacity_relay`). What each of its tests comes to on a tape and on a changer stands in `CASES`.
"""

import re
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from tapekey.iscsi.config import Chap, Credential
from tapekey.target import library, portal
from tests.real.capacity_relay import relayed
from tests.target.peer import TARGET

pytestmark = pytest.mark.real

PASS, SKIP, FAIL = "passes", "skipped", "fails"
CHANGER, TAPE = 0, 1
DISK = "for disks: the tool finds that the device is none, or does not know the command"
RELAY = "answered by the relay: says nothing of us"
READS_BLOCKS = "proves access with READ(10) and WRITE(10), no commands of a tape or changer: see test_iscsi_initiators"
POSITION = "PRE-FETCH(10) is 34h, on a tape READ POSITION: it has no block address to be out of range"

# A test, or all of a suite: what it comes to on a tape, on a changer, and why that is right if it is not a pass.
# fmt: off
CASES: Final[Mapping[str, tuple[str, str, str]]] = {
    "CompareAndWrite":                (SKIP, SKIP, DISK),
    "ExtendedCopy":                   (SKIP, SKIP, DISK),
    "GetLBAStatus":                   (SKIP, SKIP, DISK),
    "Inquiry":                        (PASS, PASS, ""),
    "Inquiry.BlockLimits":            (SKIP, SKIP, DISK),
    "Inquiry.MandatoryVPDSBC":        (SKIP, SKIP, DISK),
    "Mandatory":                      (SKIP, SKIP, DISK),
    "ModeSense6":                     (PASS, PASS, ""),
    "ModeSense6.Control-D_SENSE":     (SKIP, SKIP, "provokes its sense data with READ(16)"),
    "ModeSense6.Control-SWP":         (SKIP, SKIP, DISK),
    "MultipathIO":                    (SKIP, SKIP, DISK),
    "NoMedia":                        (SKIP, SKIP, DISK),
    "OrWrite":                        (SKIP, SKIP, DISK),
    "Prefetch10.Simple":              (PASS, SKIP, "34h with no room for data; a changer has no such command"),
    "Prefetch10.BeyondEol":           (FAIL, SKIP, POSITION),
    "Prefetch10.ZeroBlocks":          (FAIL, SKIP, POSITION),
    "Prefetch10.Flags":               (FAIL, SKIP, "what are flags to PRE-FETCH are service actions to READ POSITION"),
    "Prefetch16":                     (SKIP, SKIP, DISK),
    "PreventAllow":                   (SKIP, SKIP, DISK + "; prevention: test_iscsi_initiators"),
    "PrinReadKeys":                   (PASS, PASS, ""),
    "PrinReportCapabilities":         (PASS, PASS, ""),
    "PrinServiceactionRange":         (PASS, PASS, ""),
    "ProutClear":                     (PASS, PASS, ""),
    "ProutPreempt":                   (PASS, PASS, ""),
    "ProutRegister":                  (PASS, PASS, ""),
    "ProutReserve":                   (PASS, PASS, ""),
    "ProutReserve.AccessEA":          (FAIL, FAIL, READS_BLOCKS),
    "ProutReserve.AccessEAAR":        (FAIL, FAIL, READS_BLOCKS),
    "ProutReserve.AccessEARO":        (FAIL, FAIL, READS_BLOCKS),
    "ProutReserve.AccessWE":          (FAIL, FAIL, READS_BLOCKS),
    "ProutReserve.AccessWEAR":        (FAIL, FAIL, READS_BLOCKS),
    "ProutReserve.AccessWERO":        (FAIL, FAIL, READS_BLOCKS),
    "Read6":                          (FAIL, SKIP, "READ(6) of a tape has no block address, and this tape is blank"),
    "Read10":                         (SKIP, SKIP, DISK),
    "Read12":                         (SKIP, SKIP, DISK),
    "Read16":                         (SKIP, SKIP, DISK),
    "ReadCapacity10":                 (PASS, PASS, RELAY),
    "ReadCapacity16":                 (PASS, PASS, RELAY),
    "ReadCapacity16.PI":              (SKIP, SKIP, DISK),
    "ReadDefectData10":               (SKIP, PASS, "37h is INITIALIZE ELEMENT STATUS WITH RANGE to a changer"),
    "ReadDefectData12":               (SKIP, SKIP, DISK),
    "ReadOnly":                       (SKIP, SKIP, DISK),
    "ReceiveCopyResults":             (SKIP, SKIP, DISK),
    "ReportSupportedOpcodes":         (PASS, PASS, ""),
    "Reserve6":                       (PASS, PASS, ""),
    "Sanitize":                       (SKIP, SKIP, DISK),
    "StartStopUnit.Simple":           (PASS, FAIL, "1Bh is OPEN/CLOSE IMPORT/EXPORT ELEMENT to a changer, if anything"),
    "StartStopUnit.PwrCnd":           (FAIL, SKIP, "LOAD UNLOAD has no power conditions: those bits are reserved"),
    "StartStopUnit.NoLoej":           (FAIL, SKIP, "LOAD UNLOAD has no LOEJ: without LOAD it unloads"),
    "TestUnitReady":                  (PASS, PASS, ""),
    "Unmap":                          (SKIP, SKIP, DISK),
    "Verify10":                       (SKIP, SKIP, DISK),
    "Verify12":                       (SKIP, SKIP, DISK),
    "Verify16":                       (SKIP, SKIP, DISK),
    "Write10":                        (SKIP, SKIP, DISK),
    "Write12":                        (SKIP, SKIP, DISK),
    "Write16":                        (SKIP, SKIP, DISK),
    "WriteAtomic16":                  (SKIP, SKIP, DISK),
    "WriteSame10":                    (SKIP, SKIP, DISK),
    "WriteSame16":                    (SKIP, SKIP, DISK),
    "WriteVerify10":                  (SKIP, SKIP, DISK),
    "WriteVerify12":                  (SKIP, SKIP, DISK),
    "WriteVerify16":                  (SKIP, SKIP, DISK),
    "iSCSIcmdsn":                     (PASS, PASS, ""),
    "iSCSIdatasn":                    (PASS, PASS, ""),
    "iSCSIResiduals":                 (SKIP, SKIP, DISK),
    "iSCSIResiduals.Read10Invalid":   (FAIL, FAIL, "needs READ(10) to be known; residuals: test_iscsi_opcodes"),
    "iSCSIResiduals.Read10Residuals": (FAIL, FAIL, "needs READ(10) to be known; residuals: test_iscsi_opcodes"),
    "iSCSITMF":                       (SKIP, SKIP, DISK + "; task management: test_connection"),
}
# fmt: on
# Two suites mostly sleep, so that a lost connection is noticed: each part has a library of its own, all run at once.
PARTS: Final = ("ALL.[!Ri]*", "ALL.Re[!s]*", "ALL.Res*", "ALL.iSCSI[!c]*", "ALL.iSCSIc*")


def run(*words: str, patience: float = 120) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words, capture_output=True, text=True, errors="replace", timeout=patience, check=False)


@contextmanager
def served(place: Path, chap: Chap | None = None) -> Iterator[tuple[str, int]]:
    """A library with a cartridge in its first drive. HPE's drives know every type of persistent reservation."""
    library.create(
        place, personality="hpe-lto6", drives=1, slots=2, barcodes=["ENC001L6", "ENC002L6"], capacity=64 << 20
    )
    with library.open(place) as opened, portal.listening(opened.rack, name=TARGET, chap=chap) as address:
        opened.move("ENC001L6", "drive-1")
        yield address


def outcomes(text: str) -> dict[str, str]:
    """What iscsi-test-cu says of each test: it prints `Suite: S`, then `Test: T ...`, remarks, and passed or FAILED."""
    found, suite = {}, ""
    for part in re.split(r"\n(?=Suite: |  Test: )", text):
        if named := re.match(r"Suite: (\S+)", part):
            suite = named[1]
        elif ran := re.match(r"  Test: (\S+) \.\.\.(.*?)(?<!\[)(passed|FAILED)", part, re.DOTALL):
            skipped = "[SKIPPED]" in ran[2] and ran[3] == "passed"
            found[f"{suite}.{ran[1]}"] = SKIP if skipped else PASS if ran[3] == "passed" else FAIL
    return found


def tried(place: Path, lun: int, part: str) -> dict[str, str]:
    """The outcomes of some suites on a library made for them."""
    with served(place) as address, relayed(address) as (host, port):
        ended = run("iscsi-test-cu", "-d", "-v", "-t", part, f"iscsi://{host}:{port}/{TARGET}/{lun}")
        assert "Tests completed" in ended.stdout, f"{part}: {ended.stdout[-500:]}{ended.stderr[-500:]}"
        return outcomes(ended.stdout)


@pytest.mark.long
def test_every_test_of_iscsi_test_cu_comes_to_what_is_written(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    listed = run("iscsi-test-cu", "--list").stdout.splitlines()
    names = {name.removeprefix("ALL.") for name in listed if name.startswith("ALL.") and name.count(".") == 2}
    jobs = [(lun, part) for lun in (TAPE, CHANGER) for part in PARTS]
    with ThreadPoolExecutor(len(jobs)) as threads:
        runs = threads.map(lambda job: tried(tmp_path / f"library-{jobs.index(job)}", *job), jobs)
        came: dict[int, dict[str, str]] = {TAPE: {}, CHANGER: {}}
        for (lun, _), found in zip(jobs, runs, strict=True):
            came[lun] |= found
    for lun, column in ((TAPE, 0), (CHANGER, 1)):
        expected = {name: CASES.get(name, CASES.get(name.split(".")[0], ("?", "?", "")))[column] for name in names}
        assert came[lun] == expected
        counts = Counter(expected.values())
        told = ", ".join(f"{count} {outcome}" for outcome, count in sorted(counts.items()))
        record_property("told", f"iscsi-test-cu on a {'tape' if lun else 'changer'}: {told}, as written")


def test_table_gives_a_reason_for_all_that_does_not_pass_on_both() -> None:
    assert all(why for tape, changer, why in CASES.values() if (tape, changer) != (PASS, PASS))


LOGINS: Final = {
    "open": (None, ""),
    "CHAP": (Chap((Credential("host", b"correct horse battery"),)), "host%correct horse battery@"),
}


@pytest.mark.parametrize(("chap", "user"), LOGINS.values(), ids=LOGINS)
def test_iscsi_ls_and_inq_see_the_library(tmp_path: Path, chap: Chap | None, user: str) -> None:
    with served(tmp_path / "library", chap) as (host, port):
        seen = run("iscsi-ls", "-s", f"iscsi://{user}{host}:{port}")
        drive = run("iscsi-inq", f"iscsi://{user}{host}:{port}/{TARGET}/{TAPE}")
        changer = run("iscsi-inq", f"iscsi://{user}{host}:{port}/{TARGET}/{CHANGER}")
    assert seen.stdout.splitlines() == [
        f"Target:{TARGET} Portal:{host}:{port},1",
        "Lun:0    Type:MEDIA_CHANGER",
        "Lun:1    Type:SEQUENTIAL_ACCESS",
    ]
    assert "Product:Ultrium 6-SCSI" in drive.stdout
    assert "Type:MEDIA_CHANGER" in changer.stdout


@pytest.mark.parametrize("user", ["", "host%wrong horse battery@", "other%correct horse battery@"])
def test_iscsi_inq_without_the_secret_sees_nothing(tmp_path: Path, user: str) -> None:
    chap = LOGINS["CHAP"][0]
    with served(tmp_path / "library", chap) as (host, port):
        refused = run("iscsi-inq", f"iscsi://{user}{host}:{port}/{TARGET}/{TAPE}")
    assert refused.returncode != 0
    assert "Product" not in refused.stdout


@pytest.mark.parametrize(("secret", "proven"), [("another secret", True), ("a third secret", False)])
def test_iscsi_inq_asks_the_target_for_proof(tmp_path: Path, secret: str, proven: bool) -> None:
    chap = Chap((Credential("host", b"correct horse battery"),), Credential("library", b"another secret"))
    with served(tmp_path / "library", chap) as (host, port):
        login = f"iscsi://host%correct horse battery@{host}:{port}/{TARGET}/{TAPE}"
        seen = run("iscsi-inq", f"{login}?target_user=library&target_password={secret}")
    assert ("Product:Ultrium 6-SCSI" in seen.stdout) is proven


@pytest.mark.parametrize("digest", ["crc32c", "none"])
def test_iscsi_inq_agrees_on_header_digests(tmp_path: Path, digest: str) -> None:
    with served(tmp_path / "library") as (host, port):
        seen = run("iscsi-inq", f"iscsi://{host}:{port}/{TARGET}/{TAPE}?header_digest={digest}")
    assert "Product:Ultrium 6-SCSI" in seen.stdout

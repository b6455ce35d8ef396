"""What sg3-utils and tapeinfo make of the drive's log and mode pages, reservations, clock and self-test.

They decode these with code of their own: a field in the wrong place is a wrong word in their print.
"""

import re

import pytest

from tapekey.scsi import log, mode
from tapekey.scsi.log import LogPage
from tapekey.scsi.mode_page import ModePage
from tapekey.scsi.run import run
from tests.real.bench import Bench
from tests.real.conftest import PowerOn

pytestmark = pytest.mark.real


def told(bench: Bench, *command: str) -> str:
    """What a program printed; it must have ended well, and complained of nothing."""
    done = bench.real(*command, "/dev/sg0")
    assert done.status == 0, done.err
    assert not done.err
    return done.out.decode()


@pytest.mark.parametrize("name", ["ibm-lto7", "hpe-lto6"])
def test_sg_logs_knows_every_page_that_we_list(power_on: PowerOn, name: str) -> None:
    bench = power_on(name)
    ours = log.decode_supported(run(bench.host, log.log_sense(LogPage.SUPPORTED)))

    text = told(bench, "sg_logs", "-a")

    listed = {int(number, 16) for number in re.findall(r"^ +0x([0-9a-f]{2}) ", text, re.MULTILINE)}
    assert listed == set(ours)
    assert "Unable to" not in text
    for words in ("Lifetime media loads: 1", "Current temperature = <not available>", "Page valid: 1"):
        assert words in text


def test_sg_modes_names_every_page_that_we_have(power_on: PowerOn) -> None:
    bench = power_on("ibm-lto7")
    ours = mode.decode_answer_10(run(bench.host, mode.mode_sense(ModePage.ALL))).pages

    text = told(bench, "sg_modes", "-a")

    assert len(re.findall(r"^>> ", text, re.MULTILINE)) == len(ours)
    for words in (
        "Read-Write error recovery",
        "Medium Partition [1]",
        "Medium configuration",
        "Protocol specific port",
    ):
        assert words in text


def test_sg_persist_registers_reserves_and_is_told_so(power_on: PowerOn) -> None:
    bench = power_on("ibm-lto7")
    told(bench, "sg_persist", "-o", "-G", "-S", "0x123")
    told(bench, "sg_persist", "-o", "-R", "-K", "0x123", "-T", "3")

    assert "Exclusive Access" in told(bench, "sg_persist", "-r")
    full = told(bench, "sg_persist", "-s")
    assert "Key=0x123" in full
    assert "iSCSI name: " in full
    capable = told(bench, "sg_persist", "-c")
    assert "(PTPL_C): 1" in capable
    assert "Exclusive Access, registrants only: 1" in capable
    told(bench, "sg_persist", "-o", "-L", "-K", "0x123", "-T", "3")
    assert "there is NO reservation held" in told(bench, "sg_persist", "-r")


def test_sg_senddiag_and_sg_logs_reset_end_well(power_on: PowerOn) -> None:
    bench = power_on("ibm-lto7")

    assert "GOOD" in told(bench, "sg_senddiag", "-t")
    told(bench, "sg_logs", "-R")
    assert "[SPC-4]" in told(bench, "sg_inq", "-d")


def test_tapeinfo_finds_nothing_odd(power_on: PowerOn) -> None:
    text = told(power_on("ibm-lto7"), "tapeinfo", "-f")

    found = dict(re.findall(r"^(\w[\w ]+): (.*)$", text, re.MULTILINE))
    assert found["Ready"] == "yes"
    assert found["Attached Changer API"] == "No"
    assert (found["BOP"], found["Block Position"], found["ActivePartition"]) == ("yes", "0", "0")
    assert (found["NumPartitions"], found["MaxPartitions"]) == ("0", "3")
    assert (found["DataCompEnabled"], found["DataCompCapable"]) == ("yes", "yes")
    assert found["Density Code"] == "0x5c"

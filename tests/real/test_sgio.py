"""Our SG_IO binding on a device node: tapekey, python-scsi and sg_raw see the same bytes."""

import json
import sys
from pathlib import Path

import pytest

from tests.real.bench import Bench, Ran, opening, tapekey
from tests.real.conftest import PowerOn

PEER = Path(__file__).parent / "pyscsi_peer.py"
COMMANDS = ("inquiry", "vpd-80", "ready", "mode-0a", "elements")


def python(drive: Bench, *words: object) -> Ran:
    return drive.real(sys.executable, *words)


@pytest.mark.real
def test_a_device_node_and_the_drives_own_uri_are_told_the_same(power_on: PowerOn) -> None:
    drive = power_on("ibm-lto6")
    through_node = python(drive, "-m", "tapekey", "drive", "show", "/dev/sg0", "--json")
    assert through_node.status == 0, through_node.text
    told = drive.told("drive", "show")
    assert told.items() <= json.loads(through_node.out).items()


@pytest.mark.real
def test_a_tape_node_leads_to_its_sg_node(power_on: PowerOn) -> None:
    done = python(power_on("ibm-lto6"), "-m", "tapekey", "drive", "show", "/dev/nst0", "--json")
    assert done.status == 0, done.text


@pytest.mark.real
@pytest.mark.parametrize(("name", "form"), [("ibm-lto6", "clear"), ("ibm-lto9", "wrapped")])
def test_a_key_goes_through_the_node_in_clear_and_wrapped(power_on: PowerOn, name: str, form: str) -> None:
    drive = power_on(name)
    for verb in (("drive", "approve", "--allow", "other"), ("save",)):
        done = python(drive, "-m", "tapekey", *verb, "/dev/sg0", "--allow-virtual", *opening(drive.keystore))
        assert done.status == 0, done.text
    status = drive.status()
    assert (status["owner"], status["encryption_mode"]) == ("ours", "ENCRYPT")
    assert drive.stenc().line("Drive Encryption:") == "mixed"
    assert f"form={form}" in tapekey("audit", "show", *opening(drive.keystore)).text


@pytest.mark.real
def test_python_scsi_on_our_binding_and_sg_raw_give_the_same_bytes(power_on: PowerOn) -> None:
    drive = power_on("ibm-lto6")
    done = python(drive, PEER, "/dev/sg0", *COMMANDS)
    assert done.status == 0, done.text
    answers = json.loads(done.out)
    assert set(answers) == {"at first", *COMMANDS}
    for name, answer in answers.items():
        beside = drive.real("sg_raw", "-b", "-r", answer["room"], "/dev/sg0", *answer["cdb"].split())
        if "sense" in answer:
            assert name == "elements"  # a drive is no changer
            assert "Invalid command operation code" in beside.text
            assert answer["sense"].startswith("700005")
        else:
            assert beside.out.hex() == answer["data"], name

"""Other programs on the same device see the same bytes: sg_raw, and python-scsi on our binding."""

import json
import subprocess
import sys

from tapekey.scsi import inquiry, mode
from tapekey.scsi.inquiry import VitalPage
from tapekey.scsi.mode_page import ModePage
from tests.kernel.cases import simulated

COMMANDS = {
    "INQUIRY": inquiry.inquire(96),
    "VPD 80h": inquiry.inquire_vital(VitalPage.SERIAL, 252),
    "VPD 83h": inquiry.inquire_vital(VitalPage.IDENTIFICATION, 252),
    "MODE SENSE(6)": mode.mode_sense_6(ModePage.CONTROL),
}


def test_sg_raw_gets_the_same_bytes() -> None:
    (node,) = simulated.load()
    with simulated.opened(node) as (device,):
        for name, command in COMMANDS.items():
            ours = device.execute(command).data_in
            assert ours, name
            assert raw(node.path, command.cdb, command.data_in_max) == ours, name


def test_python_scsi_gets_the_same_bytes() -> None:
    (node,) = simulated.load()
    with simulated.opened(node):
        pass
    commands = ("inquiry", "vpd-80", "ready", "mode-0a")
    words = [sys.executable, "tests/real/pyscsi_peer.py", node.path, *commands]
    answers = json.loads(subprocess.run(words, capture_output=True, check=True).stdout)
    assert set(answers) >= set(commands)
    for answer in answers.values():
        assert raw(node.path, bytes.fromhex(answer["cdb"]), int(answer["room"])).hex() == answer["data"]


def raw(path: str, cdb: bytes, room: int) -> bytes:
    words = ["sg_raw", "-b", *(["-r", str(room)] if room else []), path, *cdb.hex(" ").split()]
    return subprocess.run(words, capture_output=True, check=True).stdout

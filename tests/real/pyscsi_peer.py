"""Runs python-scsi (PyPI PYSCSI), unchanged, on our SG_IO binding, and prints the bytes that it got as JSON.

Arguments: a device node, then commands: inquiry, vpd-80, ready, mode-0a, elements.
"""

import contextlib
import json
import sys

from tapekey.transport import python_scsi

sys.modules["sgio"] = python_scsi

from pyscsi.pyscsi.scsi import SCSI  # noqa: E402
from pyscsi.pyscsi.scsi_device import SCSIDevice  # noqa: E402
from pyscsi.pyscsi.scsi_enum_command import smc  # noqa: E402
from pyscsi.pyscsi.scsi_sense import SCSICheckCondition  # noqa: E402


def elements(scsi: SCSI) -> object:
    """python-scsi sends a changer's commands only where it is told that there is one."""
    scsi.device.opcodes = smc
    return scsi.readelementstatus(start=0, num=1)


COMMANDS = {
    "inquiry": lambda scsi: scsi.inquiry(),
    "vpd-80": lambda scsi: scsi.inquiry(evpd=1, page_code=0x80),
    "ready": lambda scsi: scsi.testunitready(),
    "mode-0a": lambda scsi: scsi.modesense6(page_code=0x0A),
    "elements": elements,
}


def main() -> None:
    """One JSON object: command to the CDB that was sent, and hex of its data or of the sense that came instead."""
    node, *names = sys.argv[1:]
    answers: dict[str, dict[str, str]] = {}
    execute, name = python_scsi.execute, "at first"

    def recorded(fid: python_scsi.File, cdb: bytes, data_out: bytes, data_in: bytearray) -> int:
        answer = answers[name] = {"cdb": bytes(cdb).hex(" "), "room": str(len(data_in))}
        try:
            residual = execute(fid, cdb, data_out, data_in)
        except python_scsi.CheckConditionError as error:
            answer["sense"] = error.sense.hex()
            raise
        answer["data"] = bytes(data_in[: len(data_in) - residual]).hex()
        return residual

    python_scsi.execute = recorded  # type: ignore[assignment]
    with SCSI(SCSIDevice(node)) as scsi:
        for name in names:
            with contextlib.suppress(SCSICheckCondition):
                COMMANDS[name](scsi)
    print(json.dumps(answers))


if __name__ == "__main__":
    main()

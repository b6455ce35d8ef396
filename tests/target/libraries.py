"""A small library for tests, and what a host sends to its changer."""

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

from tapekey.exchange import Command
from tapekey.scsi import changer, changer_status
from tapekey.scsi.changer import ElementType
from tapekey.scsi.changer_status import Element
from tapekey.scsi.codes import Status
from tapekey.scsi.media import test_unit_ready as unit_ready
from tapekey.scsi.sense import decode_sense
from tapekey.target import library
from tapekey.target.library_description import Description
from tapekey.target.library_front import Library
from tapekey.target.unit import Answer

ARM, MAIL, DRIVE, SLOT = 0x0001, 0x0010, 0x0100, 0x1000
SERIAL = "TKL00000001"
BARCODES = ("ENC001L8", "ENC002L8", "ENC003L8", "CLN001L8")


_kept = Path(tempfile.mkdtemp(prefix="tapekey-libraries-"))
atexit.register(shutil.rmtree, _kept, ignore_errors=True)


def made(directory: Path, barcodes: tuple[str, ...] = BARCODES, knobs: dict[str, object] | None = None) -> Path:
    """A library of two drives, six slots and two import/export elements, with small cartridges."""
    place = directory / "lib"
    shutil.copytree(_template(barcodes), place)
    Description.load(place).with_knobs(knobs or {}).save(place)
    return place


@cache
def _template(barcodes: tuple[str, ...]) -> Path:
    """Made once, since each drive has a key pair to find; a library may be copied as it is."""
    place = _kept / "-".join(("lib", *barcodes))
    facts = {"drives": 2, "slots": 6, "serial": SERIAL, "capacity": 64 << 20}
    library.create(place, personality="ibm-lto8", barcodes=barcodes, **facts)  # type: ignore[arg-type]
    return place


def ask(opened: Library, command: Command, nexus: str = "host") -> Answer:
    """Send a command to the changer, past its first attentions."""
    while opened.changer.changer.nexuses.get(nexus).pending:
        opened.changer.serve(nexus, unit_ready())
    return opened.changer.serve(nexus, command)


def told(answer: Answer) -> str:
    """ "good", "conflict", or the sense code as the reference writes it."""
    if answer.status == Status.CHECK_CONDITION:
        return decode_sense(answer.sense).code
    return {Status.GOOD: "good", Status.RESERVATION_CONFLICT: "conflict"}[Status(answer.status)]


def run(opened: Library, command: Command, nexus: str = "host") -> str:
    return told(ask(opened, command, nexus))


def elements(opened: Library, type: ElementType = ElementType.ALL, *, drive_names: bool = False) -> dict[int, Element]:
    """Every element as READ ELEMENT STATUS tells it."""
    data = bytes(ask(opened, changer.read_status(type, drive_names=drive_names)).data)
    return {element.state.address: element for page in changer_status.decode_status(data) for element in page.elements}


def where(opened: Library) -> dict[int, str]:
    """The barcode in each full element."""
    return {at: str(element.barcode) for at, element in elements(opened).items() if element.state.full}

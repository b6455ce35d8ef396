"""After the library's death: it is powered on again, and everything that was promised is looked for."""

import base64
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tapekey.exchange import Command
from tapekey.target import library
from tapekey.target.library_front import Library
from tapekey.target.library_layout import FIRST_DRIVE, FIRST_SLOT
from tapekey.target.unit import Answer
from tests.crash import library_story as story
from tests.crash.library_book import Book, Object, State, Step
from tests.model.outcome import seen

ROOM = 1 << 20
END_OF_DATA, FILEMARK, NO_SUCH_PARTITION = "8/00/05", "0/00/01", "5/24/00"


@dataclass(slots=True)
class Inquest:
    """What was promised, and what is found."""

    tree: Path
    book: Book
    end: str
    findings: list[str] = field(default_factory=list)
    notes: Counter[str] = field(default_factory=Counter)

    def expect(self, holds: bool, otherwise: str) -> None:
        if not holds:
            self.findings.append(otherwise)


def hold(inquest: Inquest) -> None:
    """Look for everything that was promised; then a host works on."""
    with library.open(inquest.tree) as opened:
        _places(inquest, opened)
        for name in story.BARCODES:
            lun = _mounted(opened, name)
            _content(inquest, opened, lun, name)
            _works_on(inquest, opened, lun, name)
    no_secret(inquest, [inquest.tree])


def _places(inquest: Inquest, opened: Library) -> None:
    """Every cartridge is in one element, and in one that it was on the way to or in."""
    found = {Path(held.cartridge).name: at for at, held in opened.robot.inventory.elements.items()}
    inquest.expect(sorted(found) == sorted(story.BARCODES), f"the inventory has {found}")
    inquest.expect(
        len(found) == len(opened.robot.inventory.elements), f"in two places: {opened.robot.inventory.elements}"
    )
    for name, at in found.items():
        may = inquest.book.may_be_at(name)
        inquest.expect(at in may, f"{name} is in element {at:04X}h, not in {sorted(map(hex, may))}")
    for number, machine in enumerate(opened.drives):
        inside = machine.status()["barcode"]
        at = FIRST_DRIVE + number
        told = next((name for name, place in found.items() if place == at), None)
        inquest.expect(inside == told, f"drive {number + 1} has {inside}, the inventory says {told}")


def _mounted(opened: Library, name: str) -> int:
    """Bring the cartridge into a drive, if it is in none."""
    at = next(at for at, held in opened.robot.inventory.elements.items() if Path(held.cartridge).name == name)
    for lun, drive in story.DRIVES.items():
        if drive == at:
            _good(opened, Step("load", lun, bytes([0x1B, 0, 0, 0, 1, 0])))  # it may have been unloaded already
            return lun
    full = opened.robot.inventory.elements
    if story.DRIVES[story.ONE] in full:
        free = next(slot for slot in range(FIRST_SLOT, FIRST_SLOT + story.SLOTS) if slot not in full)
        _good(opened, story.moved((story.DRIVES[story.ONE], free)))
    _good(opened, story.moved((at, story.DRIVES[story.ONE])))
    return story.ONE


def _content(inquest: Inquest, opened: Library, lun: int, name: str) -> None:
    _good(opened, story.keyed(lun, inquest.book.volumes[name].key))
    found = _recorded(opened, lun)
    may = inquest.book.may_hold(name, inquest.end)
    inquest.notes["as it was told" if found == inquest.book.volumes[name].state else "as far as it came"] += 1
    inquest.expect(found in may, f"{name} holds {_drawn(found)}, not {' or '.join(sorted(map(_drawn, may)))}")


def _recorded(opened: Library, lun: int) -> State:
    """All that can be read."""
    sides: list[tuple[Object, ...]] = []
    while True:
        there = story.located(lun, len(sides), 0)
        code = _code(_ask(opened, there))
        if code == NO_SUCH_PARTITION:
            return tuple(sides)
        if code:
            raise AssertionError(f"LOCATE to partition {len(sides)}: {code}")
        sides.append(tuple(_objects(opened, lun)))


def _objects(opened: Library, lun: int) -> list[Object]:
    found: list[Object] = []
    cdb = bytes([0x08, 2]) + ROOM.to_bytes(3, "big") + b"\0"
    while True:
        answer = _ask(opened, Step("read", lun, cdb), ROOM)
        code = _code(answer)
        if code == END_OF_DATA:
            return found
        if code not in ("", FILEMARK):
            raise AssertionError(f"READ of object {len(found)} on LUN {lun}: {code}")
        found.append(bytes(answer.data) if not code else None)


def _works_on(inquest: Inquest, opened: Library, lun: int, name: str) -> None:
    """A block more and a filemark, and both are read."""
    before = _recorded(opened, lun)
    data = story.block(0, 998)
    for step in (story.located(lun, 0, -1), story.written(lun, data), story.marked(lun)):
        _good(opened, step)
    after = ((*before[0], data, None), *before[1:])
    inquest.expect(_recorded(opened, lun) == after, f"{name} does not hold what was appended after the restart")


def no_secret(inquest: Inquest, places: list[Path]) -> None:
    """Neither a word of the data nor a key is in any file."""
    forms: list[Callable[[bytes], bytes]] = [bytes, lambda key: key.hex().encode(), base64.b64encode]
    secrets = {story.MARK: "the plaintext"}
    secrets |= {form(volume.key): "a key" for volume in inquest.book.volumes.values() for form in forms}
    for path in (path for place in places for path in place.rglob("*") if path.is_file()):
        data = path.read_bytes()
        for secret, what in secrets.items():
            inquest.expect(secret not in data, f"{what} is in {path.relative_to(inquest.tree.parent)}")


def _good(opened: Library, step: Step) -> None:
    code = _code(_ask(opened, step))
    if code:
        raise AssertionError(f"{step.name} on LUN {step.lun}: {code}")


def _ask(opened: Library, step: Step, room: int = 0) -> Answer:
    """Ask until no unit attention stands in the way."""
    while True:
        answer = opened.rack.serve("inquest", step.lun, Command(step.cdb, step.out, room))
        if not _code(answer).startswith("6/"):
            return answer


def _code(answer: Answer) -> str:
    return seen(answer.status, b"", bytes(answer.sense)).code if answer.status else ""


def _drawn(state: State) -> str:
    """A state in short: the size of each block, and M for a filemark."""
    return " | ".join(" ".join("M" if item is None else str(len(item)) for item in side) for side in state) or "nothing"

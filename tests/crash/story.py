"""What happens before the crash: a cartridge is saved, written, saved again, appended to, scratched and overwritten.

Every step that promises something is told to the witness once it has promised it.
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path

from tapekey.keys import identity_file
from tapekey.keystore.slots import KeyFile
from tapekey.manager.local import open_manager
from tapekey.scsi import media
from tapekey.scsi.run import run
from tapekey.target.machine import Machine
from tests.crash.witness import Gap, WatchedManager, WatchedTransport, Witness
from tests.rig import PARTNER, Clock, Rig, rig

# S save, U unload and put back, X declare scratch; b a block, M a filemark, F a flush
STEPS = "S bbbMbbFbM U S bbM U X S bbbMbFbM U"
PRIVATE = "partner.key"
MARK = b"no eye may see this"
GENERATION = "lto6"

Object = bytes | None  # a block or a filemark


def template(directory: Path) -> None:
    """A keystore, a virtual drive and a blank cartridge under `require`, at rest."""
    directory.mkdir(parents=True)
    with rig(directory, inserted=False) as agent, identity_file.dump(agent.people[PARTNER]) as text:
        (directory / PRIVATE).write_bytes(text.reveal())


def block(seed: int, era: int, number: int) -> bytes:
    """Bytes that are like no others, cannot be compressed and can be found."""
    size = 70_000 if number == 1 else 300 + 997 * number % 3000
    return MARK + hashlib.shake_128(f"{seed} {era} {number}".encode()).digest(size)


def objects(seed: int, era: int) -> list[Object]:
    """What stands on the tape when the story of an era has ended. The first era is 1; 0 is the blank tape."""
    if era == 0:
        return []
    told = STEPS.split("X")[era - 1]
    return [block(seed, era, n) if step == "b" else None for n, step in enumerate(s for s in told if s in "bM")]


def tell(directory: Path, seed: int, witness: Witness) -> None:
    """Live through the story in a copy of the template."""
    clock = Clock()
    with (
        Machine.open(directory / "drive", clock) as machine,
        open_manager(directory / "store", [KeyFile(directory / "key-file")], clock.utc) as manager,
    ):
        watched = WatchedManager(manager.store, witness)
        agent = Rig(directory, machine, watched, clock, GENERATION)
        agent.insert(directory / "cartridge")
        _live(agent, seed, witness)


def _live(agent: Rig, seed: int, witness: Witness) -> None:
    host = WatchedTransport(agent.host, witness)
    era = 1
    ahead: Iterator[Object] = iter(objects(seed, era))
    written, serial = 0, ""
    for step in STEPS.replace(" ", ""):
        match step:
            case "S":
                serial = agent.save(host).cartridge
                run(host, media.space(media.SpaceCode.END_OF_DATA) if written else media.rewind())
            case "b":
                if not written:
                    witness.tell("writing", era)
                data = next(ahead)
                assert data is not None
                run(host, media.write_block(data))
                written += 1
            case "M" | "F":
                if step == "M":
                    next(ahead)
                    written += 1
                run(host, media.write_filemarks() if step == "M" else media.flush())
                witness.tell("kept", era, written)
            case "U":
                with witness.gap(Gap.UNLOAD):
                    agent.unload(host)
                agent.eject()
                agent.insert(agent.directory / "cartridge")
            case "X":
                agent.scratch(serial)
                era, written = era + 1, 0
                ahead = iter(objects(seed, era))

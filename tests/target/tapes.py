"""Tapes for tests: made small, filled with objects that can be told apart, and read back as plain lists."""

from pathlib import Path

from tapekey.errors import MediumDamaged
from tapekey.secret import Secret
from tapekey.target import cartridge, cipher
from tapekey.target.medium import Tape
from tapekey.target.medium_record import Block, Kind
from tests import opened

KEY = bytes(range(0x40, 0x60))
MARK = "filemark"
DAMAGED = "damaged"

Object = bytes | str


def made(directory: Path, **what: object) -> Path:
    """A cartridge of 64 MiB in `directory`/tape."""
    place = directory / "tape"
    cartridge.create(place, "lto6", "ENC001L6", **{"capacity": 64 << 20, "margin": 1 << 20, **what})  # type: ignore[arg-type]
    return place


def held(place: Path) -> cartridge.Cartridge:
    """The cartridge with its tape threaded."""
    taken = opened.taken(place)
    taken.load("TAPEKEY", "TEST")
    return taken


def put(tape: Tape, item: Object) -> None:
    """Write one object: a filemark, or a clear block."""
    if isinstance(item, str):
        tape.write_filemarks(1)
    else:
        tape.write(Block(len(item)), item)


def put_sealed(tape: Tape, data: bytes, *, authenticated: bytes = b"", key: bytes = KEY) -> Block:
    """Write one encrypted block."""
    shut = cipher.Cipher.keyed(cipher.GCM, Secret(key))
    block, stored = shut.seal(
        Block(len(data)), cipher.keyless(authenticated=authenticated), data, bytearray(len(data) + 16)
    )
    tape.write(block, stored)
    return block


def contents(tape: Tape) -> list[Object]:
    """All objects from the beginning, encrypted blocks opened; `DAMAGED` for what cannot be read."""
    opener = cipher.Cipher.keyed(cipher.GCM, Secret(KEY))
    found: list[Object] = []
    tape.rewind()
    while not tape.at_end_of_data:
        try:
            header = tape.next()
            assert header is not None
            if header.kind is Kind.FILEMARK:
                found.append(MARK)
            else:
                assert header.block is not None
                stored = tape.stored(header)
                clear = header.block.seal is None
                out = bytearray(header.stored)
                found.append(bytes(stored if clear else opener.open(header.block, stored, out)))
        except MediumDamaged:
            found.append(DAMAGED)
        tape.skip()
    return found


def recorded(place: Path) -> list[Object]:
    """The contents of a cartridge that nobody holds."""
    with held(place) as taken:
        return contents(taken.tape)

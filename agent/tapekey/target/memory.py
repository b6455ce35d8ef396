"""The cartridge's memory chip: what hosts wrote into it, and what drives keep there, in one small file.

The file is replaced as a whole (written beside, synced, renamed), so that it is always one state or the next.
What a host writes without WTC is seen at once and kept in the drive; it reaches the chip when the cartridge is
unloaded, and a loss of power loses it. Lengths, formats and who may write what are the drive's to check.
"""

import hashlib
import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Final, Self

from tapekey.errors import DoesNotFit, MediumDamaged
from tapekey.scsi.attribute import Attribute
from tapekey.scsi.attribute_table import AttributeId, Format
from tapekey.target.medium_index import NONE

FILE: Final = "memory"
OVERHEAD: Final = 4
# 0007h and 0806h take their room whether they are written or not (reference 4.3).
_ALWAYS: Final = (OVERHEAD + 2) + (OVERHEAD + 32)
_PER_PARTITION: Final = {AttributeId.PARTITION_LABEL, AttributeId.VOLUME_COHERENCY}

Place = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Account:
    """What drives keep in the chip about the cartridge's life; sizes in bytes.

    reference   volume change reference (0009h)
    devices     vendor and serial of the drives of the last four loads, the latest first, as hex of 40 bytes
    used, first_encrypted, first_clear   of partition 0, as they were at the last unload
    """

    reference: int
    loads: int = 0
    initializations: int = 1
    devices: tuple[str, ...] = ()
    written: int = 0
    read: int = 0
    written_last: int = 0
    read_last: int = 0
    used: int = 0
    first_encrypted: int = NONE
    first_clear: int = NONE


@dataclass(slots=True)
class Memory:
    """An open chip. `host` is what a host reads back now; `chip`, what would survive a loss of power."""

    path: Path
    capacity: int
    account: Account
    host: dict[Place, Attribute] = field(default_factory=dict)
    chip: dict[Place, Attribute] = field(default_factory=dict)

    @classmethod
    def open(cls, directory: Path, capacity: int) -> Self:
        """Read the chip's file; MediumDamaged if it is missing or does not verify."""
        path = directory / FILE
        try:
            account, host = _decode(read_checked(path, "memory"))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise MediumDamaged("the cartridge's memory cannot be read", why=str(error)) from error
        return cls(path, capacity, account, dict(host), host)

    def get(self, identifier: int, partition: int = 0) -> Attribute | None:
        """One attribute that a host wrote."""
        return self.host.get(_place(identifier, partition))

    def of(self, partition: int = 0) -> tuple[Attribute, ...]:
        """The attributes that hosts wrote, as a partition shows them, in ascending order."""
        return tuple(item for place, item in sorted(self.host.items()) if place == _place(place[0], partition))

    @property
    def room(self) -> int:
        """Bytes left for attributes (0004h): a new one costs its value and 4 bytes more."""
        return self.capacity - _cost(self.host)

    def write(self, attributes: Iterable[Attribute], partition: int = 0, *, through: bool) -> None:
        """Write all of these or none; an empty value removes one. DoesNotFit if there is no room for all."""
        changes = {_place(item.id, partition): item for item in attributes}
        host = _merged(self.host, changes)
        if _cost(host) > self.capacity:
            raise DoesNotFit("the cartridge's memory is full", why=f"{self.room} bytes are left")
        if through:
            chip = _merged(self.chip, changes)
            self._replace(chip, self.account)
            self.chip = chip
        self.host = host

    def keep(self, account: Account) -> None:
        """Put the drive's account into the chip at once; attributes written without WTC stay behind."""
        self._replace(self.chip, account)
        self.account = account

    def settle(self, account: Account) -> None:
        """Put everything into the chip, as at unload."""
        self._replace(self.host, account)
        self.account, self.chip = account, dict(self.host)

    def _replace(self, chip: dict[Place, Attribute], account: Account) -> None:
        replace_checked(self.path, "memory", _encode(chip, account))


def new(directory: Path, capacity: int, reference: int, barcode: str) -> Memory:
    """Make the chip of a new cartridge, with the barcode that a library has put into it."""
    host = {}
    if barcode:
        value = barcode.encode("ascii").ljust(32)
        host[_place(AttributeId.BARCODE, 0)] = Attribute(AttributeId.BARCODE, value, Format.ASCII)
    made = Memory(directory / FILE, capacity, Account(reference), host, {})
    made.settle(made.account)
    return made


def read_checked(path: Path, what: str) -> object:
    """Read a small file of ours: a line with its name, version and SHA-256, then JSON. ValueError if it is not that."""
    first, _, body = path.read_bytes().partition(b"\n")
    if first != _title(what, body):
        raise ValueError(f"{path.name} does not verify")
    return json.loads(body)


def replace_checked(path: Path, what: str, content: object) -> None:
    """Replace a small file of ours, so that after any end there is the old one or the new one."""
    body = json.dumps(content, indent=1, sort_keys=True).encode() + b"\n"
    beside = path.with_name(path.name + ".new")
    fd = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(fd, "wb") as file:
        file.write(_title(what, body) + b"\n" + body)
        file.flush()
        os.fsync(fd)
    os.rename(beside, path)
    sync_directory(path.parent)


def sync_directory(directory: Path) -> None:
    """Make the names in a directory last."""
    fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _title(what: str, body: bytes) -> bytes:
    return f"tapekey {what} 1 {hashlib.sha256(body).hexdigest()}".encode()


def _place(identifier: int, partition: int) -> Place:
    return (int(identifier), partition if identifier in _PER_PARTITION else 0)


def _merged(old: dict[Place, Attribute], changes: dict[Place, Attribute]) -> dict[Place, Attribute]:
    return {place: item for place, item in (old | changes).items() if item.value}


def _cost(host: dict[Place, Attribute]) -> int:
    barcode = _place(AttributeId.BARCODE, 0)
    return _ALWAYS + sum(OVERHEAD + len(item.value) for place, item in host.items() if place != barcode)


def _encode(chip: dict[Place, Attribute], account: Account) -> object:
    rows = [
        {"id": f"{number:04X}", "partition": partition, "format": int(item.format), "value": item.value.hex()}
        for (number, partition), item in sorted(chip.items())
    ]
    return {"account": asdict(account), "host": rows}


def _decode(content: object) -> tuple[Account, dict[Place, Attribute]]:
    if not isinstance(content, dict):
        raise TypeError("the memory file holds no object")
    account = Account(**content["account"])
    host = {}
    for row in content["host"]:
        identifier = AttributeId(int(row["id"], 16))
        value = bytes.fromhex(row["value"])
        host[_place(identifier, row["partition"])] = Attribute(identifier, value, Format(row["format"]))
    return replace(account, devices=tuple(account.devices)), host

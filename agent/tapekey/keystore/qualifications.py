"""What was tried out on a drive, with the firmware that it then had: the newest qualification of each drive."""

import json
from dataclasses import dataclass

from tapekey.keystore.records import QualificationRow
from tapekey.keystore.rows import Transaction
from tapekey.keystore.seal import damaged


@dataclass(frozen=True, slots=True)
class Tried:
    """One trial by name, its answer, and what the drive said."""

    trial: str
    answer: str
    told: str


@dataclass(frozen=True, slots=True)
class Qualified:
    """It holds for this firmware only."""

    serial: str
    naa: bytes
    firmware: str
    results: tuple[Tried, ...]
    tried: str = ""  # when; set when it is kept


def keep(transaction: Transaction, found: Qualified) -> None:
    """Keep a drive's qualification in place of its older one."""
    results = json.dumps([[each.trial, each.answer, each.told] for each in found.results])
    row = QualificationRow(found.serial, found.naa, found.firmware, transaction.now(), results)
    known = transaction.one(QualificationRow, serial=found.serial)
    (transaction.insert if known is None else transaction.replace)(row)
    answers = ", ".join(f"{each.trial} {each.answer}" for each in found.results)
    transaction.note("drive qualified", drive=found.serial, firmware=found.firmware, answers=answers[:256])


def get(transaction: Transaction, serial: str) -> Qualified | None:
    """The newest qualification of a drive, or None."""
    row = transaction.one(QualificationRow, serial=serial)
    if row is None:
        return None
    try:
        results = tuple(Tried(*map(str, each)) for each in json.loads(row.results))
    except (TypeError, ValueError) as error:
        raise damaged("qualifications", serial, "it does not decode") from error
    return Qualified(row.serial, row.naa, row.firmware, results, row.tried)

"""What was seen while nothing was touched: kept as the facts that a decision is made from, and read back as those."""

import json
from collections.abc import Callable
from dataclasses import asdict
from enum import Enum
from functools import cache
from typing import Any, TypeVar, get_type_hints

from tapekey.keystore.records import SightingRecord
from tapekey.keystore.rows import Transaction
from tapekey.keystore.seal import damaged
from tapekey.manager.questions import Sighting
from tapekey.policy.facts import CartridgeFacts, DriveFacts, Guard, KeyFacts

FactsKind = TypeVar("FactsKind")
COLUMNS = ("drive_serial", "medium_serial", "volsers", "seen")  # beside the JSON object


def keep(transaction: Transaction, sighting: Sighting) -> None:
    """Keep it in place of what was seen of this drive and this cartridge before."""
    told = {name: value for name, value in asdict(sighting).items() if name not in COLUMNS}
    record = SightingRecord(
        sighting.drive_serial,
        sighting.medium_serial,
        sighting.volsers,
        json.dumps(told, default=_plain, sort_keys=True),
        transaction.now(),
    )
    where = {"drive_serial": record.drive_serial, "medium_serial": record.medium_serial}
    known = transaction.one(SightingRecord, **where)
    (transaction.insert if known is None else transaction.replace)(record)


def every(transaction: Transaction) -> tuple[Sighting, ...]:
    """All sightings, by drive and cartridge."""
    return tuple(map(_sighting, transaction.every(SightingRecord)))


def _plain(value: object) -> object:
    match value:
        case Enum():
            return value.value
        case frozenset():
            return sorted(one.value for one in value)
    raise TypeError(f"no JSON holds {type(value).__name__}")


def _sighting(record: SightingRecord) -> Sighting:
    try:
        told = json.loads(record.facts)
        return Sighting(
            record.drive_serial,
            record.medium_serial,
            record.volsers,
            library=str(told["library"]),
            pool=str(told["pool"]),
            drive=_facts(DriveFacts, told["drive"]),
            cartridge=_facts(CartridgeFacts, told["cartridge"]),
            key=_facts(KeyFacts, told["key"]),
            owner=str(told["owner"]),
            application=str(told["application"]),
            memory_left=int(told["memory_left"]),
            seen=record.seen,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise damaged("sightings", record.drive_serial, "it does not decode") from error


def _facts(kind: Callable[..., FactsKind], told: dict[str, object] | None) -> FactsKind | None:
    """The facts again; a fact that an older tapekey did not know has its default."""
    if told is None:
        return None
    return kind(**{name: _value(hint, told[name]) for name, hint in _hints(kind).items() if name in told})


def _value(hint: Any, value: object) -> object:
    if hint == frozenset[Guard]:
        return frozenset(Guard(one) for one in value) if isinstance(value, list) else frozenset()
    return hint(value)


@cache
def _hints(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind)

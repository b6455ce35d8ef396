"""Puts together what a guest left: its results, and its keystore with the audit log, as the host reads them."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tapekey import wiring
from tapekey.keystore import data_keys, parked_keys
from tapekey.keystore.audit import Line
from tapekey.keystore.store import Store, audit_lines
from tapekey.wiring import Access
from tests.kernel.race.outcome import Outcome
from tests.kernel.race.runs import Round


def outcomes(share: Path, release: str) -> list[Outcome]:
    """Every run that came to its end."""
    results = share / "results.jsonl"
    if not results.exists():
        return []
    told = [json.loads(line) for line in results.read_text().splitlines()]
    with _store(share) as store:
        alarms = audit_lines(store, after=0, alarms_only=True)
        return [each for one in told for each in _of_round(one, release, Books(store, tuple(alarms)))]


@dataclass(frozen=True, slots=True)
class Books:
    """The keystore at the end, and all alarms in its audit log."""

    store: Store
    alarms: tuple[Line, ...]

    def about(self, cartridge: str, drive: str, began: str, ended: str) -> Iterator[str]:
        """What was put down in that time about the cartridge, or about the drive without naming one."""
        for line in self.alarms:
            if began <= line.time <= ended and (line.facts.get("cartridge"), line.facts.get("drive")) in (
                (cartridge, line.facts.get("drive")),
                (None, drive),
                ("", drive),
            ):
                yield line.event

    def key(self, kads: list[str]) -> tuple[bool, bool]:
        """Whether a block's key is strange, and whether one was parked."""
        strange = parked = False
        with self.store.reading() as transaction:
            for kad in map(bytes.fromhex, kads):
                stood = parked_keys.by_kad(transaction, kad) is not None
                parked |= stood
                strange |= not stood and data_keys.by_kad(transaction, kad) is None
        return strange, parked


def _of_round(told: dict[str, Any], release: str, books: Books) -> Iterator[Outcome]:
    round = Round.from_json(told["round"])
    drives = dict(enumerate(_serials(told["during"])))
    for run, cartridge, verdict, software in zip(
        round.runs, told["cartridges"], told["verdicts"], told["software"], strict=True
    ):
        strange, parked = books.key(verdict["kads"])
        events = books.about(cartridge["serial"], drives.get(run.drive, "?"), told["began"], told["ended"])
        yield Outcome(
            release=release,
            round=round.number,
            run=run,
            health=round.health,
            gate=round.gate,
            load_time=round.load_time,
            cartridge=cartridge["barcode"],
            written=software["written"],
            clear=verdict["clear"],
            encrypted=verdict["encrypted"],
            seen=verdict["seen"],
            strange=strange,
            parked=parked,
            alarms=(*events, *_rung(told, cartridge)),
        )


def _serials(view: dict[str, Any]) -> list[str]:
    """The drives' serial numbers in the order of their LUNs, which is that of their nodes."""
    found = sorted(view["drives"], key=lambda drive: int(drive["where"].removeprefix("/dev/sg")))
    return [drive["serial"] for drive in found]


def _rung(told: dict[str, Any], cartridge: dict[str, Any]) -> Iterator[str]:
    """What the agent showed by then and had not shown before, about this cartridge."""
    known = set(told["before"].get("alarms", ()))
    for view in ("during", "after"):
        for alarm in told[view].get("alarms", ()):
            if alarm not in known and (cartridge["barcode"] in alarm or cartridge["serial"] in alarm):
                yield alarm


@contextmanager
def _store(share: Path) -> Iterator[Store]:
    with wiring.manager(Access(share / "keystore-after", None, share / "root.key")) as manager:
        yield manager.store

"""Random moves, exchanges, inserts and kills against a dict: each cartridge is in exactly one place."""

import os
import shutil
import tempfile
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tapekey.errors import Conflict, NotFound
from tapekey.scsi import changer, media
from tapekey.target import library
from tapekey.target.library_front import Library
from tapekey.target.tray import Place
from tests.target.libraries import ARM, BARCODES, DRIVE, MAIL, SLOT, made, run, where
from tests.target.power import PowerLost, lose_power_after

DRIVES, MAILS, SLOTS = range(DRIVE, DRIVE + 2), range(MAIL, MAIL + 2), range(SLOT, SLOT + 6)
PLACES = [*DRIVES, *MAILS, *SLOTS]
anywhere = st.sampled_from(PLACES)


class Moves(RuleBasedStateMachine):
    """The model is a dict from element to barcode, and the set of what lies outside."""

    opened: Library

    @initialize()
    def make(self) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="tapekey-moves-"))
        self.place = made(self.directory)
        self.model = {SLOT + at: barcode for at, barcode in enumerate(BARCODES)}
        self.outside: set[str] = set()
        self.stack = ExitStack()
        self.power_on()

    def power_on(self) -> None:
        self.opened = self.stack.enter_context(library.open(self.place))

    def teardown(self) -> None:
        if hasattr(self, "stack"):
            self.stack.close()
            shutil.rmtree(self.directory)

    def moved(self, *steps: tuple[int, int]) -> str:
        """What the answer should be; on success the model has moved."""
        left = {at: tag for at, tag in self.model.items() if at not in dict(steps)}
        for source, destination in steps:
            if source not in self.model:
                return "5/3B/0E"
            if destination in left:
                return "5/3B/0D"
        self.model = left | {destination: self.model[source] for source, destination in steps}
        return "good"

    @rule(source=anywhere, destination=anywhere)
    def move(self, source: int, destination: int) -> None:
        assert run(self.opened, changer.move(source, destination)) == self.moved((source, destination))

    @rule(source=anywhere, first=anywhere, second=anywhere)
    def exchange(self, source: int, first: int, second: int) -> None:
        if source == first or first == second:
            assert run(self.opened, changer.exchange(source, first, second)) == "5/21/01"
        else:
            expected = self.moved((source, first), (first, second))
            assert run(self.opened, changer.exchange(source, first, second)) == expected

    @rule(source=anywhere, destination=st.sampled_from([ARM, 0, 0x7777, SLOT + 6, DRIVE + 2]))
    def move_to_nowhere(self, source: int, destination: int) -> None:
        assert run(self.opened, changer.move(source, destination)) == "5/21/01"

    @rule(barcode=st.sampled_from(BARCODES))
    def export(self, barcode: str) -> None:
        at = next((at for at, tag in self.model.items() if tag == barcode), None)
        try:
            self.opened.export(barcode)
        except (Conflict, NotFound):
            assert at is None or (at not in MAILS and all(mail in self.model for mail in MAILS))
        else:
            del self.model[at]  # type: ignore[arg-type]
            self.outside.add(barcode)

    @rule(barcode=st.sampled_from(BARCODES))
    def insert(self, barcode: str) -> None:
        free = next((mail for mail in MAILS if mail not in self.model), None)
        try:
            self.opened.insert(Path(barcode))
        except Conflict:
            assert free is None or barcode not in self.outside
        else:
            assert free is not None
            self.outside.remove(barcode)
            self.model[free] = barcode

    @rule(drive=st.sampled_from([0, 1]))
    def unload(self, drive: int) -> None:
        transport = self.opened.drives[drive].transport()
        while transport.execute(media.test_unit_ready()).sense[2:3] == b"\x06":
            pass
        transport.execute(media.unload())

    @rule()
    def power_cycle(self) -> None:
        self.stack.close()
        self.power_on()

    @rule(source=anywhere, destination=anywhere, calls=st.integers(0, 6))
    def kill_in_a_move(self, source: int, destination: int, calls: int) -> None:
        """The process ends at some call of the inventory's replacement, or of what drives write of themselves."""
        before = dict(self.model)
        self.moved((source, destination))
        after = dict(self.model)
        with pytest.MonkeyPatch.context() as patch:
            lose_power_after(patch, calls)
            with suppress(PowerLost):
                run(self.opened, changer.move(source, destination))
        self.stack.close()
        self.power_on()
        self.model = where(self.opened)
        assert self.model in (before, after)

    @invariant()
    def every_cartridge_is_in_exactly_one_place(self) -> None:
        if not hasattr(self, "opened"):
            return
        assert where(self.opened) == self.model
        assert sorted([*self.model.values(), *self.outside]) == sorted(BARCODES)
        for address, machine in zip(DRIVES, self.opened.drives, strict=True):
            assert machine.status()["barcode"] == self.model.get(address)
            assert (machine.drive.place is Place.EMPTY) is (address not in self.model)


SOAK = bool(os.environ.get("TAPEKEY_SOAK"))
Moves.TestCase.settings = settings(
    max_examples=500 if SOAK else 8,
    stateful_step_count=40 if SOAK else 20,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
TestMoves = Moves.TestCase

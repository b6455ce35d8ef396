"""The embedded manager: an open keystore that answers a mount's questions, each whole and durable."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tapekey.errors import NotFound
from tapekey.keys.brief import KadRoom
from tapekey.keys.data_key import KeyId
from tapekey.keystore import (
    cartridges,
    data_keys,
    drives,
    guard_originals,
    mounts,
    parked_keys,
    qualifications,
    rules,
    store,
    witnesses,
)
from tapekey.keystore.birth import UNSAFE_SINGLE_COPY
from tapekey.keystore.records import DriveRow, MountRecord, WitnessRecord
from tapekey.keystore.rows import Clock
from tapekey.keystore.slots import Opener
from tapekey.keystore.store import Store
from tapekey.manager import adopt, issuing, parking, prepare, reading, recognise, release, sightings
from tapekey.manager.questions import (
    Account,
    DriveRecord,
    Evidence,
    GuardPage,
    KeyMaterial,
    Known,
    Mount,
    Parked,
    Prepared,
    ReadingKey,
    Request,
    Sighting,
    Witness,
    WrapTarget,
)
from tapekey.policy.facts import Intent, Rule


@contextmanager
def open_manager(directory: Path, openers: Sequence[Opener], clock: Clock = store.utc) -> Iterator["LocalManager"]:
    """Open the keystore in a directory and answer from it."""
    with store.open_store(directory, openers, clock) as opened:
        yield LocalManager(opened)


@dataclass(frozen=True, slots=True)
class LocalManager:
    """Answers `KeyManager` from one keystore."""

    store: Store

    def known(self, evidence: Evidence) -> Known:
        with self.store.reading() as transaction:
            return recognise.recognise(transaction, evidence)

    def rules(self) -> tuple[Rule, ...]:
        with self.store.reading() as transaction:
            return rules.every(transaction)

    def prepare(self, request: Request) -> Prepared:
        return prepare.prepare(self.store, request)

    def prepared(self, key_id: KeyId) -> Prepared:
        with self.store.reading() as transaction:
            issue = data_keys.current_issue(transaction, key_id)
            if issue is None:
                raise NotFound(f"no envelope of key {key_id} is current")
            return issuing.as_prepared(transaction, issue)

    def release(
        self, key_id: KeyId, *, medium_serial: str, drive: str, witnessed: bytes, wrap: WrapTarget | None
    ) -> KeyMaterial:
        return release.release(
            self.store, key_id, medium_serial=medium_serial, drive=drive, witnessed=witnessed, wrap=wrap
        )

    def key_for_reading(self, evidence: Evidence, *, drive: str, wrap: WrapTarget | None) -> ReadingKey:
        return reading.key_for_reading(self.store, evidence, drive=drive, wrap=wrap)

    def adopt(self, evidence: Evidence, request: Request, *, by: str) -> Prepared:
        """Take a key made elsewhere on record for writing; what is prepared has to stand on the cartridge first."""
        return adopt.adopt(self.store, evidence, request, by=by)

    def drive(self, serial: str) -> DriveRecord | None:
        with self.store.reading() as transaction:
            row = drives.get(transaction, serial)
        return None if row is None else _drive_record(row)

    def drives(self) -> tuple[DriveRecord, ...]:
        """All approved drives."""
        with self.store.reading() as transaction:
            return tuple(_drive_record(row) for row in drives.every(transaction))

    def approve(self, drive: DriveRecord) -> None:
        """Put a drive on record with its pinned key."""
        with self.store.writing() as transaction:
            drives.approve(transaction, _drive_row(drive, transaction.now()))

    def scratch(self, medium_serial: str, *, by: str) -> None:
        """Declare that what a cartridge holds may be overwritten."""
        with self.store.writing() as transaction:
            cartridges.scratch(transaction, medium_serial, by=by)

    def release_cartridge(self, name: str, *, by: str) -> None:
        """Forget that a cartridge (by serial or label) was once under `require`."""
        with self.store.writing() as transaction:
            cartridges.release(transaction, name, by=by)

    def begin(self, drive_serial: str, medium_serial: str, volser: str, intent: Intent) -> Mount:
        with self.store.writing() as transaction:
            record = mounts.begin(transaction, drive_serial, medium_serial, volser, intent.value)
        return _mount(record)

    def installed(self, mount: Mount) -> None:
        with self.store.writing() as transaction:
            record = mounts.installed(transaction, _mount_record(mount))
            if mount.intent is Intent.SAVE and mount.key_id is not None:
                cartridges.keyed(transaction, mount.medium_serial)
            transaction.note(
                "key installed" if mount.key_id else "no key installed",
                key=str(mount.key_id) if mount.key_id else None,
                drive=record.drive_serial,
                generation=record.generation,
                cartridge=record.medium_serial,
                intent=record.intent,
                key_instance_counter=mount.key_instance_counter,
                change_reference=mount.change_reference.hex(),
            )

    def current(self, drive_serial: str) -> Mount | None:
        with self.store.reading() as transaction:
            record = mounts.newest(transaction, drive_serial)
        return None if record is None else _mount(record)

    def account(self, mount: Mount, account: Account) -> None:
        with self.store.writing() as transaction:
            if mounts.close(transaction, mount.drive_serial, mount.generation, account.change_reference):
                transaction.note(
                    "mount accounted",
                    drive=mount.drive_serial,
                    generation=mount.generation,
                    cartridge=mount.medium_serial,
                    change_reference=account.change_reference.hex(),
                    first_encrypted=account.first_encrypted,
                    first_clear_after=account.first_clear_after,
                    loads=account.loads,
                    written_mib=account.written_mib,
                    remarks="; ".join(account.remarks),
                )

    def reissue(self, key_id: KeyId, request: Request) -> Prepared:
        return prepare.reissue(self.store, key_id, request)

    def single_copy(self) -> bool:
        """Whether keys are served that exist in this keystore only."""
        with self.store.reading() as transaction:
            return store.setting(transaction, UNSAFE_SINGLE_COPY) == "on"

    def trials(self, drive_serial: str, naa: bytes, firmware: str) -> Mapping[str, str]:
        with self.store.reading() as transaction:
            found = qualifications.get(transaction, drive_serial)
        holds = found is not None and (found.naa, found.firmware) == (naa, firmware)
        return {each.trial: each.answer for each in found.results} if found and holds else {}

    def keep_guard_page(self, drive_serial: str, naa: bytes, page: GuardPage) -> None:
        with self.store.writing() as transaction:
            guard_originals.keep(transaction, drive_serial, naa, page.current, page.saved)

    def guard_page(self, drive_serial: str) -> GuardPage | None:
        with self.store.reading() as transaction:
            kept = guard_originals.get(transaction, drive_serial)
        return None if kept is None else GuardPage(kept.current, kept.saved)

    def forget_guard_page(self, drive_serial: str) -> None:
        with self.store.writing() as transaction:
            guard_originals.forget(transaction, drive_serial)

    def why_not_parked(self, rule: Rule, kad_room: KadRoom) -> str:
        with self.store.reading() as transaction:
            return parking.why_not(transaction, rule, kad_room)

    def park(
        self, drive_serial: str, rule: Rule, kad_room: KadRoom, wrap: WrapTarget | None
    ) -> tuple[Parked, KeyMaterial]:
        return parking.park(self.store, drive_serial, rule, kad_room, wrap)

    def park_stands(self, parked: Parked, key_instance_counter: int) -> None:
        with self.store.writing() as transaction:
            record = parked_keys.find(transaction, parked.key_id)
            parked_keys.stands(transaction, record, key_instance_counter)
            transaction.note(
                "key parked",
                key=str(parked.key_id),
                drive=parked.drive_serial,
                key_instance_counter=key_instance_counter,
            )

    def parked_under(self, kad: bytes) -> Parked | None:
        with self.store.reading() as transaction:
            record = parked_keys.by_kad(transaction, recognise.bare(kad))
        if record is None:
            return None
        counter = record.key_instance_counter
        return parking.as_parked(record, None if counter == parked_keys.UNSEEN else counter)

    def parked_in(self, drive_serial: str) -> Parked | None:
        with self.store.reading() as transaction:
            seen = [
                record
                for record in parked_keys.waiting(transaction, drive_serial)
                if record.key_instance_counter != parked_keys.UNSEEN
            ]
        return parking.as_parked(seen[0], seen[0].key_instance_counter) if seen else None

    def drop_parked(self, parked: Parked) -> None:
        with self.store.writing() as transaction:
            parked_keys.drop(transaction, parked_keys.find(transaction, parked.key_id))
            transaction.note("parked key dropped", key=str(parked.key_id), drive=parked.drive_serial)

    def written_under_parked(self, parked: Parked, medium_serial: str, volser: str, *, proved: bool) -> None:
        with self.store.writing() as transaction:
            parking.written_under(transaction, parked, medium_serial, volser, proved=proved)

    def witness(self, medium_serial: str) -> Witness | None:
        with self.store.reading() as transaction:
            found = witnesses.get(transaction, medium_serial)
        return None if found is None else _witness(found)

    def keep_witness(self, witness: Witness) -> Witness | None:
        with self.store.writing() as transaction:
            before = witnesses.keep(
                transaction,
                witness.medium_serial,
                witness.drive_serial,
                witness.generation,
                witness.moment,
                witness.reference,
            )
        return None if before is None else _witness(before)

    def sighted(self, sighting: Sighting) -> None:
        with self.store.writing() as transaction:
            sightings.keep(transaction, sighting)

    def sightings(self) -> tuple[Sighting, ...]:
        """All that was seen while nothing was touched."""
        with self.store.reading() as transaction:
            return sightings.every(transaction)

    def note(self, event: str, *, alarm: bool = False, **facts: str | int | None) -> None:
        self.store.note(event, alarm=alarm, **facts)


def _drive_record(row: DriveRow) -> DriveRecord:
    return DriveRecord(row.serial, row.naa, row.vendor, row.product, row.where, row.virtual, row.hands_off, row.key)


def _drive_row(drive: DriveRecord, approved: str) -> DriveRow:
    return DriveRow(
        drive.serial,
        drive.naa,
        drive.vendor,
        drive.product,
        drive.where,
        drive.virtual,
        drive.hands_off,
        drive.key,
        approved,
    )


def _witness(record: WitnessRecord) -> Witness:
    return Witness(record.medium_serial, record.drive_serial, record.moment, record.reference, record.generation)


def _mount(record: MountRecord) -> Mount:
    counter = record.key_instance_counter
    return Mount(
        generation=record.generation,
        drive_serial=record.drive_serial,
        medium_serial=record.medium_serial,
        volser=record.volser,
        intent=Intent(record.intent),
        key_id=record.key_id,
        kad=record.kad,
        key_instance_counter=None if counter < 0 else counter,
        change_reference=record.change_reference,
        accounted=record.accounted,
    )


def _mount_record(mount: Mount) -> MountRecord:
    counter = mount.key_instance_counter
    return MountRecord(
        drive_serial=mount.drive_serial,
        generation=mount.generation,
        medium_serial=mount.medium_serial,
        volser=mount.volser,
        intent=mount.intent.value,
        key_id=mount.key_id,
        kad=mount.kad,
        key_instance_counter=-1 if counter is None else counter,
        change_reference=mount.change_reference,
        accounted=False,
        began="",
        closed="",
    )

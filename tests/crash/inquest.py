"""What is looked at after a crash: every promise that was told must hold, and the next save must find its way.

The store is opened as any store, the tape is read through the drive with the key that a restore finds; nothing here
knows how the story was cut off. Each finding is a sentence.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tapekey.errors import EndOfData, Refused
from tapekey.exchange import Transport
from tapekey.keys import identity_file
from tapekey.keys.data_key import KeyId
from tapekey.keystore import cartridges, check, data_keys, mounts, store
from tapekey.keystore.records import CartridgeRecord, KeyRecord, State
from tapekey.keystore.slots import KeyFile
from tapekey.manager.local import open_manager
from tapekey.mount.save import Saved
from tapekey.scsi import media
from tapekey.scsi.run import perform, run
from tapekey.target import cartridge
from tapekey.target.machine import Machine
from tapekey.target.medium_log import Log
from tapekey.target.medium_record import Block, Kind
from tests.crash import story
from tests.crash.story import Object
from tests.rig import PARTNER, Clock, Rig

ROOM = 1 << 17
AFTERWARDS = 99  # the era of what is written after the crash

# Cut off after the volume change reference was moved on and before the old blocks were cut off: the chip says that the
# tape was written, and its blocks are not under the new key. Nobody can tell that from an exchanged tape.
RIGHT_REASONS = {"its blocks are not encrypted under the key on record"}

Event = Sequence[Any]


@dataclass(slots=True)
class Inquest:
    """One crash. `notes` counts what came of it, `findings` says what is wrong."""

    directory: Path
    seed: int
    events: Sequence[Event]
    findings: list[str] = field(default_factory=list)
    notes: Counter[str] = field(default_factory=Counter)

    def expect(self, true: bool, finding: str) -> None:
        if not true:
            self.findings.append(finding)

    @property
    def serial(self) -> str:
        return cartridge.read_identity(self.directory / "cartridge").serial

    def told(self, kind: str) -> list[Event]:
        return [event[1:] for event in self.events if event[0] == kind]


def hold(inquest: Inquest) -> None:
    """Look at everything."""
    clock = Clock()
    place = inquest.directory
    _nothing_in_clear(inquest)
    with (
        open_manager(place / "store", [KeyFile(place / "key-file")], clock.utc) as manager,
        Machine.open(place / "drive", clock) as machine,
    ):
        people = {PARTNER: identity_file.load((place / story.PRIVATE).read_bytes())}
        agent = Rig(place, machine, manager, clock, story.GENERATION, people)
        check.check(manager.store)
        _promises(inquest, agent)
        _blocks_are_ours(inquest, agent)
        if machine.drive.cartridge is None:
            agent.insert(place / "cartridge")
        found, key = _read_back(inquest, agent)
        _next_save(inquest, agent, found, key)
        store.verify_audit(manager.store)
        _blocks_are_ours(inquest, agent)
    _nothing_in_clear(inquest)


def _nothing_in_clear(inquest: Inquest) -> None:
    for path in inquest.directory.rglob("*"):
        if path.is_file() and story.MARK in path.read_bytes():
            inquest.findings.append(f"clear bytes of a block are in {path.name}")


def _promises(inquest: Inquest, agent: Rig) -> None:
    """What was answered is on record."""
    with agent.manager.store.reading() as transaction:
        for (raw,) in inquest.told("prepared"):
            known = data_keys.get(transaction, KeyId(bytes.fromhex(raw)))
            inquest.expect(known is not None, f"key {raw} was prepared and is not on record")
        for (raw,) in inquest.told("released"):
            record = data_keys.get(transaction, KeyId(bytes.fromhex(raw)))
            released = record is not None and record.state is not State.PRE_ACTIVE
            inquest.expect(released, f"key {raw} was released, and that is not on record")
        for drive, generation, raw in inquest.told("installed"):
            mount = mounts.get(transaction, drive, generation)
            installed = mount.key_id is not None and mount.key_id.raw.hex() == raw
            inquest.expect(installed, f"mount {generation} was installed, and that is not on record")
    lines = {(line.event, line.facts.get("key")) for line in agent.audit()}
    for (raw,) in inquest.told("released"):
        audited = ("key released", str(KeyId(bytes.fromhex(raw)))) in lines
        inquest.expect(audited, f"key {raw} was released, and no audit line says so")


def _blocks_are_ours(inquest: Inquest, agent: Rig) -> None:
    """Every block on the medium is encrypted, under a key on record that was released, and no key lies in the open."""
    files = [path.read_bytes() for path in inquest.directory.rglob("*") if path.is_file() and path.suffix != ".key"]
    with agent.manager.store.reading() as transaction:
        for one in _blocks(inquest.directory / "cartridge"):
            if one.seal is None:
                inquest.findings.append("a block is clear on the medium")
                continue
            known = data_keys.by_kad(transaction, one.seal.authenticated + one.seal.unauthenticated)
            record = known and data_keys.get(transaction, known.key_id)
            inquest.expect(bool(record and record.state is not State.PRE_ACTIVE), "a block's key was not released")
        for record in transaction.every(KeyRecord):
            with data_keys.open_key(transaction, record).secret as secret:
                inquest.expect(not any(bytes(secret.reveal()) in data for data in files), "a data key lies on the disk")


def _blocks(place: Path) -> Iterator[Block]:
    log = Log.open(place / "partition-0.log", writable=False)
    try:
        for number in range(log.objects):
            header = log.read_header(number)
            if header.kind is Kind.BLOCK and header.block is not None:
                yield header.block
    finally:
        log.close()


def _read_back(inquest: Inquest, agent: Rig) -> tuple[list[Object], KeyId | None]:
    """Restore what was acknowledged, with the store and with the partner's key alone."""
    restored = agent.restore()
    found = _objects(agent.settled) if restored.key_id else []
    agent.unload()
    if not restored.key_id:
        inquest.expect(not list(_blocks(inquest.directory / "cartridge")), "there are blocks, and no key for them")
    elif inquest.seed % 3 == 0 and restored.key_id == _newest_key(inquest, agent):
        alone = agent.restore_alone(PARTNER)
        inquest.expect(alone.key_id == restored.key_id, "the partner finds another key")
        inquest.expect(_objects(agent.settled) == found, "the partner reads other blocks")
        inquest.notes["read without the store"] += 1
        agent.unload()
    _as_written(inquest, found)
    return found, restored.key_id


def _newest_key(inquest: Inquest, agent: Rig) -> KeyId | None:
    """What the newest envelope is for. Where the KAD has no key id, only the keystore knows that blocks are older."""
    current = _on_record(agent, inquest.serial)[1]
    return current.id if current else None


def _as_written(inquest: Inquest, found: list[Object]) -> None:
    """The tape is the old one or the new one, up to some whole object behind the last that was acknowledged."""
    era = max((number for (number,) in inquest.told("writing")), default=0)
    kept = {0: 0} | {number: objects for number, objects in inquest.told("kept")}
    allowed = {era} if era in kept else {era, era - 1}
    fits = any(
        found == story.objects(inquest.seed, one)[: len(found)] and len(found) >= kept.get(one, 0) for one in allowed
    )
    inquest.notes["objects read back"] += len(found)
    told = f"{len(found)} objects are on the tape; era {era}, acknowledged {kept}"
    inquest.expect(fits, f"the tape is not as it was acknowledged: {told}")


def _objects(host: Transport) -> list[Object]:
    """All that can be read from the beginning of tape."""
    run(host, media.rewind())
    found: list[Object] = []
    while True:
        try:
            outcome = perform(host, media.read_block(ROOM))
        except EndOfData:
            return found
        mark = outcome.sense is not None and outcome.sense.filemark
        found.append(None if mark else outcome.data)


def _next_save(inquest: Inquest, agent: Rig, found: list[Object], key: KeyId | None) -> None:
    """The cartridge can be saved to again, under the key that it should have, and is read back with what it held."""
    before, current, keys = _on_record(agent, inquest.serial)
    saved = _save(inquest, agent)
    _right_key(inquest, saved, before, current, key)
    with agent.manager.store.reading() as transaction:
        lost = keys - {record.id for record in transaction.every(KeyRecord)}
    inquest.expect(not lost, f"keys are gone from the record: {lost}")
    goes_on = bool(found) and saved.key_id == key
    inquest.notes["appended" if goes_on else "begun anew"] += 1
    more = [story.block(inquest.seed, AFTERWARDS, number) for number in range(2)]
    run(agent.settled, media.space(media.SpaceCode.END_OF_DATA) if goes_on else media.rewind())
    for data in more:
        run(agent.host, media.write_block(data))
    run(agent.host, media.write_filemarks())
    expected = [*(found if goes_on else []), *more, None]
    inquest.expect(_objects(agent.host) == expected, "what was saved after the crash is not what is read")
    agent.unload()


def _on_record(agent: Rig, serial: str) -> tuple[CartridgeRecord | None, KeyRecord | None, set[KeyId]]:
    with agent.manager.store.reading() as transaction:
        record = cartridges.get(transaction, serial)
        current = data_keys.get(transaction, record.current_key) if record and record.current_key else None
        return record, current, {one.id for one in transaction.every(KeyRecord)}


def _save(inquest: Inquest, agent: Rig) -> Saved:
    """Save; a refusal is counted with its reason, and mended as an operator would."""
    try:
        return agent.save()
    except Refused as refused:
        inquest.notes[f"refused: {refused.why}"] += 1
        inquest.expect(refused.why in RIGHT_REASONS, f"the next save is refused: {refused}")
        agent.scratch(inquest.serial)
        return agent.save()


def _right_key(
    inquest: Inquest, saved: Saved, before: CartridgeRecord | None, current: KeyRecord | None, on_tape: KeyId | None
) -> None:
    """A key never released is taken up, one under which blocks stand is kept, scratch gets a new one."""
    if current is None:
        inquest.notes["first key"] += 1
    elif current.state is State.PRE_ACTIVE:
        inquest.notes["unreleased key taken up"] += 1
        inquest.expect(saved.key_id == current.id, "a key that was never released was not taken up")
    elif before is not None and before.scratch:
        inquest.notes["new key for scratch"] += 1
        inquest.expect(saved.key_id != current.id, "a scratch cartridge kept its key")
    elif on_tape in (None, current.id):
        inquest.notes["key kept"] += 1
        inquest.expect(saved.key_id == current.id, "a released key was not used again")
    else:
        inquest.notes["nothing written under the key on record"] += 1

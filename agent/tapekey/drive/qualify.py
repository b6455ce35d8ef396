"""Try what the guard can rely on: on an empty drive, or with a scratch cartridge that is named by its serial number.

What the cartridge holds is lost. Every trial puts back what it set, also when it fails or is interrupted; if that does
not succeed, the drive is not as it was, and that is an alarm. The keys are random and never kept.
"""

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Final

from tapekey.drive import abilities, guard, identity, load, modes, next_block, parameters, parking
from tapekey.drive.abilities import Abilities, Management
from tapekey.drive.identity import DriveId
from tapekey.drive.load import PATIENT, Patience, Presence
from tapekey.drive.qualification import Answer, Qualification, Result, Trial
from tapekey.errors import (
    DataProtected,
    DeviceError,
    DriveLied,
    DriveUnknown,
    EndOfData,
    Malformed,
    NotReady,
    Refused,
    RequestRefused,
    StateChanged,
)
from tapekey.exchange import Transport
from tapekey.scsi import attribute, media
from tapekey.scsi.attribute import Attribute
from tapekey.scsi.attribute_table import HOST_VENDOR, AttributeId
from tapekey.scsi.device_status import read_device_status
from tapekey.scsi.encryption import DecryptionMode, EncryptionMode
from tapekey.scsi.encryption_status import BlockEncryption
from tapekey.scsi.run import perform, run
from tapekey.secret import Secret

TRIAL_BLOCK: Final = bytes(4096)
MARK: Final = b"tapekey qualify"
LOCKED_OUT: Final = "7/2A/13"  # parameters changed since the nexus locked them
NEVER: Final = frozenset({AttributeId.EARLY_WARNING, AttributeId.VOLUME_LOCK})  # HPE's own; LTFS's
NEEDS_SCRATCH: Final = "it takes a scratch cartridge"

PowerCycle = Callable[[], Transport]  # takes the power away and gives it back; how the drive is reached then


@dataclass(slots=True)
class Bench:
    """The drive on trial, and what is known by now."""

    transport: Transport
    who: DriveId
    able: Abilities
    patience: Patience
    results: dict[Trial, Result] = field(default_factory=dict)

    def note(self, trial: Trial, answer: Answer, told: str = "") -> None:
        """Keep the first answer that is one; of reasons for none, the first too."""
        known = self.results.get(trial)
        if known is None or (known.answer is Answer.NOT_TRIED and answer is not Answer.NOT_TRIED):
            self.results[trial] = Result(trial, answer, told)

    @contextmanager
    def trying(self, *trials: Trial) -> Iterator[None]:
        """What a drive says against a trial is its answer to those that have none yet."""
        try:
            yield
        except DriveLied as error:
            self._close(trials, Answer.NO, str(error))
        except (DeviceError, Malformed) as error:
            self._close(trials, Answer.ERROR, str(error))

    def _close(self, trials: tuple[Trial, ...], answer: Answer, told: str) -> None:
        first, *rest = [trial for trial in trials if trial not in self.results] or [trials[-1]]
        self.note(first, answer, told)
        for trial in rest:
            self.note(trial, Answer.NOT_TRIED, f"{first.value} came out as {answer.value}")

    @contextmanager
    def putting_back(self, put_back: Callable[[], object]) -> Iterator[None]:
        """Whatever happens, undo what was set."""
        try:
            yield
        finally:
            try:
                put_back()
            except (DeviceError, DriveLied, Malformed) as error:
                raise Refused(
                    f"drive {self.who} is not as it was before the trial",
                    why=str(error),
                    mend="look at its state (tapekey drive status), and power it off and on",
                    alarm=True,
                ) from error


def qualify(
    transport: Transport,
    *,
    scratch: str = "",
    power_cycle: PowerCycle | None = None,
    patience: Patience = PATIENT,
) -> Qualification:
    """Try everything that can be tried with what is there. Refused: a cartridge that was not named, or a key, is in."""
    bench = _set_up(transport, scratch, patience)
    bench.note(Trial.GUARD, Answer.YES if bench.able.write_guard else Answer.NO)
    with _as_it_was(bench):
        if scratch:
            with bench.putting_back(lambda: _blank(bench)):
                _with_cartridge(bench)
        else:
            _park_empty(bench)
        _save_guard(bench, power_cycle)
    for trial in Trial:
        bench.note(trial, Answer.NOT_TRIED, NEEDS_SCRATCH if not scratch else "nothing gave occasion to it")
    return Qualification(bench.who, tuple(bench.results[trial] for trial in Trial))


def _set_up(transport: Transport, scratch: str, patience: Patience) -> Bench:
    who = identity.identify(transport)
    presence = load.presence(transport).presence
    able = abilities.abilities(transport)
    what = f"drive {who} cannot be qualified"
    if able.management is not Management.APPLICATION:
        raise Refused(what, why=f"{able.management.value}: {able.why}")
    if presence not in {Presence.EMPTY, Presence.MOUNTED}:
        raise NotReady(what, why=f"it is not ready: {presence.value}")
    if (presence is Presence.MOUNTED) != bool(scratch):
        why = "it is empty" if scratch else "there is a cartridge in it"
        mend = "load the scratch cartridge" if scratch else "unload it, or name it with --scratch-serial: it is written"
        raise Refused(what, why=why, mend=mend)
    if modes.in_force(parameters.status(transport)) != modes.OFF:
        raise Refused(what, why="encryption parameters are set in it", mend="unload its cartridge first")
    bench = Bench(transport, who, able, patience)
    if scratch:
        _demand_cartridge(bench, scratch)
    return bench


@contextmanager
def _as_it_was(bench: Bench) -> Iterator[None]:
    """The guard open, so that what is tried is what answers; as it was before, afterwards."""
    if not bench.able.write_guard:
        for trial in (Trial.GUARD_REFUSES, Trial.GUARD_SAVED):
            bench.note(trial, Answer.NOT_TRIED, "there is no guard to set")
        yield
        return
    before = guard.open(bench.transport)
    with bench.putting_back(lambda: guard.put_back(bench.transport, before)):
        yield


def _demand_cartridge(bench: Bench, serial: str) -> None:
    item = _attribute(bench, AttributeId.MEDIUM_SERIAL)
    found = attribute.words(item) if item else ""
    if found != serial:
        raise Refused(
            f"drive {bench.who} cannot be qualified",
            why=f"cartridge {found or '(without a serial number)'} is in it, not {serial}",
            mend="name the cartridge that may be written",
        )


# --- with a scratch cartridge ------------------------------------------------------------------------------------


def _with_cartridge(bench: Bench) -> None:
    if bench.able.write_guard:
        with bench.trying(Trial.GUARD_REFUSES):
            _refuse_clear(bench)
    written = None
    with bench.trying(Trial.MEMORY, Trial.MEMORY_KEPT):
        written = _write_memory(bench)
    with bench.putting_back(lambda: written and run(bench.transport, attribute.remove_attribute(written))):
        with bench.trying(Trial.KEY_GOES, Trial.LOCK_PASSES):
            _demount_with_key(bench)
        if written:
            with bench.trying(Trial.MEMORY_KEPT):
                item = _attribute(bench, written)
                bench.note(Trial.MEMORY_KEPT, Answer.YES if item and item.value == MARK else Answer.NO)
        with bench.trying(Trial.PARKS, Trial.PARKED_STAYS, Trial.PARKED_ENCRYPTS):
            _park_between(bench)


def _refuse_clear(bench: Bench) -> None:
    """A clear block, which must pass while the guard is open: else a refusal would say nothing of the guard."""
    _write(bench)
    before = guard.close(bench.transport)
    with bench.putting_back(lambda: guard.put_back(bench.transport, before)):
        try:
            _write(bench)
        except DataProtected as error:
            bench.note(Trial.GUARD_REFUSES, Answer.YES, error.code)
        else:
            bench.note(Trial.GUARD_REFUSES, Answer.NO, "a clear block was written")


def _write_memory(bench: Bench) -> int | None:
    """Write an attribute that does not exist yet, through to the chip; its number, to be removed at the end."""
    existing = set(attribute.decode_ids(run(bench.transport, attribute.list_attributes())))
    free = (each for each in range(HOST_VENDOR.first, HOST_VENDOR.last + 1) if each not in existing | NEVER)
    identifier = next(free)
    try:
        run(bench.transport, attribute.write_attributes([Attribute(AttributeId(identifier), MARK)], write_through=True))
    except RequestRefused as error:
        bench.note(Trial.MEMORY, Answer.NO, str(error))
        bench.note(Trial.MEMORY_KEPT, Answer.NOT_TRIED, "nothing could be written")
        return None
    item = _attribute(bench, identifier)
    bench.note(Trial.MEMORY, Answer.YES if item and item.value == MARK else Answer.NO, f"{identifier:04X}h")
    return identifier


def _demount_with_key(bench: Bench) -> None:
    """CKOD and, where there is one, LOCK: what is left of them at the next load."""
    if not bench.able.clears_on_demount:
        return bench.note(Trial.KEY_GOES, Answer.NO, "the drive does not offer CKOD")
    both = (EncryptionMode.ENCRYPT, DecryptionMode.DECRYPT)
    with bench.putting_back(lambda: _clear(bench)):
        _set_key(bench, bench.able, both, clear_on_demount=True, lock=bench.able.locks)
        _unload(bench)
        _load(bench)
        gone = modes.in_force(parameters.status(bench.transport)) == modes.OFF
        bench.note(Trial.KEY_GOES, Answer.YES if gone else Answer.NO)
        if bench.able.locks:
            bench.note(Trial.LOCK_PASSES, *_use(bench))
        else:
            bench.note(Trial.LOCK_PASSES, Answer.NOT_TRIED, "the drive does not offer LOCK")
    return None


def _use(bench: Bench) -> tuple[Answer, str]:
    """Rewind, read and write as any program would."""
    steps = {"rewind": _rewind, "read": _read, "write": _write}
    for name, step in steps.items():
        try:
            step(bench)
        except StateChanged as error:
            if error.code != LOCKED_OUT:
                raise
            return Answer.NO, f"{name} was refused ({error.code})"
    return Answer.YES, ""


def _park_between(bench: Bench) -> None:
    """A key set while no cartridge is mounted, and what the next one meets."""
    _unload(bench)
    with bench.putting_back(lambda: _clear(bench)):
        try:
            taken = _park(bench)
        finally:
            _load(bench)
        if not taken:
            return
        stays = parameters.status(bench.transport).encryption == EncryptionMode.ENCRYPT
        bench.note(Trial.PARKED_STAYS, Answer.YES if stays else Answer.NO)
        _write(bench)
        found = next_block.kad_at(bench.transport).encryption
        encrypted = found in {BlockEncryption.ENCRYPTED, BlockEncryption.NO_KEY}
        bench.note(Trial.PARKED_ENCRYPTS, Answer.YES if encrypted else Answer.NO, found.name.lower().replace("_", " "))


def _park_empty(bench: Bench) -> None:
    with bench.trying(Trial.PARKS), bench.putting_back(lambda: _clear(bench)):
        _park(bench)


def _park(bench: Bench) -> bool:
    """Whether the drive, with nothing mounted, takes a key for writing that no demount clears."""
    algorithm = parking.any_algorithm(bench.transport)
    if algorithm is None:
        bench.note(Trial.PARKS, Answer.NO, "without a cartridge it offers no algorithm")
        return False
    try:
        _set_key(bench, replace(bench.able, algorithm=algorithm), (EncryptionMode.ENCRYPT, DecryptionMode.DISABLE))
    except RequestRefused as error:
        bench.note(Trial.PARKS, Answer.NO, str(error))
        return False
    bench.note(Trial.PARKS, Answer.YES)
    return True


# --- over a power cycle ------------------------------------------------------------------------------------------


def _save_guard(bench: Bench, power_cycle: PowerCycle | None) -> None:
    if power_cycle is None:
        return bench.note(Trial.GUARD_SAVED, Answer.NOT_TRIED, "the power was not taken away")
    with bench.trying(Trial.GUARD_SAVED):
        if not bench.able.write_guard:
            return _cycle(bench, power_cycle)
        before = guard.close(bench.transport)
        with bench.putting_back(lambda: guard.put_back(bench.transport, before)):
            _cycle(bench, power_cycle)
            now = guard.look(bench.transport)
            bench.note(Trial.GUARD_SAVED, Answer.YES if now.closed and now.saved_closed else Answer.NO)
    return None


def _cycle(bench: Bench, power_cycle: PowerCycle) -> None:
    bench.transport = power_cycle()
    found = identity.identify(bench.transport)
    if found != bench.who:
        raise DriveUnknown(f"drive {bench.who} did not come back", why=f"{found} answers in its place")
    _watch_attention(bench)


# --- steps -------------------------------------------------------------------------------------------------------


def _set_key(
    bench: Bench, able: Abilities, pair: modes.Pair, *, clear_on_demount: bool = False, lock: bool = False
) -> None:
    with Secret(secrets.token_bytes(parameters.KEY_SIZE)) as key:
        parameters.set_key(
            bench.transport,
            able,
            encryption=pair[0],
            decryption=pair[1],
            plain=key,
            kads=(b"", b"tapekey"),
            clear_on_demount=clear_on_demount,
            lock=lock,
        )


def _clear(bench: Bench) -> None:
    """Take the trial's key out if it is still there, and any lock with it."""
    load.presence(bench.transport)
    parameters.clear_key(bench.transport, bench.able)


def _unload(bench: Bench) -> None:
    run(bench.transport, media.unload())
    _watch_attention(bench)
    load.confirm_demount(bench.transport, bench.patience)


def _load(bench: Bench) -> None:
    load.load(bench.transport, bench.patience)


def _watch_attention(bench: Bench) -> None:
    """Ask with LOG SENSE 11h first, then collect: what comes only now was left standing."""
    try:
        run(bench.transport, read_device_status())
    except StateChanged as error:
        bench.note(Trial.EXEMPT, Answer.NO, f"it took {error.code}")
    except DeviceError as error:
        bench.note(Trial.EXEMPT, Answer.ERROR, str(error))
    left = load.presence(bench.transport).attentions
    if left:
        bench.note(Trial.EXEMPT, Answer.YES, f"{left[0]} was left standing")


def _rewind(bench: Bench) -> None:
    run(bench.transport, media.locate_near(0, partition=0))


def _read(bench: Bench) -> None:
    with suppress(EndOfData, DataProtected):  # blank, or what a key that is gone wrote: the drive did look
        perform(bench.transport, media.read_block(next_block.TRIAL))


def _write(bench: Bench) -> None:
    """One block at the beginning of tape, and a filemark that flushes it."""
    _rewind(bench)
    perform(bench.transport, media.write_block(TRIAL_BLOCK))
    perform(bench.transport, media.write_filemarks())


def _blank(bench: Bench) -> None:
    """Leave a mounted, blank tape. A drive that refuses to erase keeps the trial's block."""
    load.load(bench.transport, bench.patience)
    _rewind(bench)
    with suppress(RequestRefused):
        run(bench.transport, media.erase())
    _rewind(bench)


def _attribute(bench: Bench, identifier: int) -> Attribute | None:
    try:
        data = run(bench.transport, attribute.read_attribute(identifier))
    except RequestRefused as error:
        if error.code != "5/24/00":
            raise
        return None
    return attribute.decode_attribute(data, identifier)

"""Cartridges given free by their barcodes, as backup software's scripts do it: all of them, or none.

What is not known is never scratch, and what holds data is only scratch on the word of whoever knows that the data have
expired: a key store does not know a backup catalogue.
"""

from collections.abc import Sequence

from tapekey.errors import Conflict, NotFound, Refused
from tapekey.keystore import cartridges, data_keys
from tapekey.keystore.records import CartridgeRecord, MountRecord, State
from tapekey.keystore.rows import Transaction
from tapekey.keystore.store import Store
from tapekey.manager import sightings
from tapekey.policy.facts import Contents


def reuse(store: Store, volsers: Sequence[str], *, by: str, expired: bool) -> tuple[str, ...]:
    """Declare them scratch, and return their serial numbers. `expired`: the caller's word that no data are lost."""
    with store.writing() as transaction:
        named = {_serial(transaction, volser): volser for volser in volsers}
        for serial, volser in named.items():
            _demand_idle(transaction, volser, serial)
            if not expired:
                _demand_empty(transaction, volser, serial)
        for serial in named:
            cartridges.scratch(transaction, serial, by=by)
    return tuple(named)


def _serial(transaction: Transaction, volser: str) -> str:
    """The one cartridge that had this label: on record, or seen while nothing was touched."""
    wanted = volser.strip().upper()
    known: list[CartridgeRecord] = cartridges.every(transaction)
    named = {one.medium_serial for one in known if wanted in map(str.upper, one.volsers)}
    seen = sightings.every(transaction)
    named |= {one.medium_serial for one in seen if one.medium_serial and wanted in map(str.upper, one.volsers)}
    if not named:
        raise NotFound(
            f"no cartridge {volser} was ever seen here",
            mend="load it once; or by its serial number: tapekey cartridge scratch SERIAL --unseen",
        )
    if len(named) > 1:
        raise Conflict(
            f"several cartridges were labelled {volser}",
            why=", ".join(sorted(named)),
            mend="name the serial number: tapekey cartridge scratch SERIAL",
        )
    return named.pop()


def _demand_idle(transaction: Transaction, volser: str, serial: str) -> None:
    """Refuse a cartridge that somebody may be writing now."""
    for mount in transaction.some(MountRecord, medium_serial=serial, accounted=0):
        newest = transaction.newest(MountRecord, "generation", drive_serial=mount.drive_serial)
        if newest == mount:
            raise Conflict(
                f"cartridge {volser} is in use",
                why=f"its stay in drive {mount.drive_serial} has not ended",
                mend=f"unload it first: tapekey unload DRIVE (drive {mount.drive_serial})",
            )


def _demand_empty(transaction: Transaction, volser: str, serial: str) -> None:
    """Refuse a cartridge with data, by what is on record and by what was seen of it."""
    why = _data(transaction, serial)
    if why:
        raise Refused(
            f"cartridge {volser} is not given free",
            why=f"{why}, and whether they may go is known to the backup software's catalogue alone",
            mend="if they have expired there: --expired",
        )


def _data(transaction: Transaction, serial: str) -> str:
    record = cartridges.get(transaction, serial)
    key = data_keys.get(transaction, record.current_key) if record and record.current_key else None
    if key is not None and key.state is not State.PRE_ACTIVE:
        return f"it holds data under key {key.id}"
    seen = [one.cartridge for one in sightings.every(transaction) if one.medium_serial == serial and one.cartridge]
    held = [one.contents.value for one in seen if one.contents is not Contents.BLANK]
    return f"it was seen with data ({held[0]})" if held else ""

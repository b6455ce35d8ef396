"""A key in an empty drive: what is written to the next cartridge before anybody has decided about it is encrypted."""

from dataclasses import replace

from tapekey.drive import abilities, modes, parameters
from tapekey.drive.abilities import Abilities, KadRoom, Management
from tapekey.drive.modes import Status
from tapekey.exchange import Transport
from tapekey.scsi import encryption
from tapekey.scsi.encryption import Algorithm, Capabilities, Cryption, InPage
from tapekey.scsi.run import run
from tapekey.secret import Secret


def without_cartridge(transport: Transport, able: Abilities) -> Abilities:
    """The abilities with an algorithm to park a key for: while the drive is empty none is marked as valid."""
    if able.algorithm is not None or able.management is not Management.APPLICATION:
        return able
    algorithm = any_algorithm(transport)
    if algorithm is None:
        return able
    room = KadRoom(algorithm.max_akad, algorithm.max_ukad, algorithm.akadf, algorithm.ukadf)
    return replace(able, algorithm=algorithm, kad_room=room)


def any_algorithm(transport: Transport) -> Algorithm | None:
    """The last suitable one, valid for a volume or not."""
    page = encryption.decode_page(Capabilities, run(transport, encryption.read_page(InPage.CAPABILITIES)))
    fit = [
        each
        for each in page.algorithms
        if each.encrypt_c == Cryption.HARDWARE
        and each.key_size == abilities.KEY_SIZE
        and each.code in abilities.SUITABLE
    ]
    return fit[-1] if fit else None


def park(
    transport: Transport,
    able: Abilities,
    *,
    plain: Secret | None,
    wrapped: bytes | None,
    label: bytes,
    kad: bytes,
) -> Status:
    """Set a key for writing that no demount clears, and read it back; it replaces what stands in the drive."""
    return parameters.set_key(
        transport,
        able,
        encryption=modes.PARKED[0],
        decryption=modes.PARKED[1],
        plain=plain,
        wrapped=wrapped,
        label=label,
        kads=able.kad_room.split(kad),
        clear_on_demount=False,
    )

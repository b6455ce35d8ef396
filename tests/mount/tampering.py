"""What an attacker, another program or an accident does to a cartridge between two mounts."""

import io

from tapekey.cartridge import envelopes
from tapekey.drive import abilities, data, guard, load, modes, parameters
from tapekey.exchange import Command, Transport
from tapekey.keys import envelope
from tapekey.keys.data_key import new_data_key
from tapekey.keys.envelope import Binding
from tapekey.keys.recipient import Named
from tapekey.keystore import recipients
from tapekey.scsi import attribute, media
from tapekey.scsi.attribute import Attribute
from tapekey.scsi.attribute_table import AttributeId
from tapekey.scsi.media import SpaceCode
from tapekey.scsi.run import run
from tapekey.secret import Secret
from tests.rig import Faulty, Rig, check_condition, faulty

DRIVES = ("ibm-lto4", "ibm-lto6", "ibm-lto9", "hpe-lto6", "oracle-t10000c")
CHANGING = {
    0xB5: "SPOUT",
    0x15: "MODE SELECT",
    0x55: "MODE SELECT",
    0x8D: "WRITE ATTRIBUTE",
    0x0A: "WRITE",
    0x10: "WRITE",
}
FOREIGN_KEY, FOREIGN_KAD = bytes(range(32)), b"stenc"


def watched(transport: Transport) -> Faulty:
    """A transport that breaks nothing and remembers what passed."""
    return faulty(transport, when=lambda _: False, reply=Exception())


def blind(rig: Rig) -> Faulty:
    """A drive that tells neither by memory (0224h, 0225h) nor by log page 17h what is encrypted."""
    numbers = (AttributeId.FIRST_ENCRYPTED_BLOCK, AttributeId.FIRST_CLEAR_BLOCK_AFTER)

    def asked(command: Command) -> bool:
        cdb = command.cdb
        return (cdb[0] == 0x8C and int.from_bytes(cdb[8:10], "big") in numbers) or (
            cdb[0] == 0x4D and cdb[2] & 0x3F == 0x17
        )

    return faulty(rig.host, when=asked, reply=check_condition(5, 0x24, 0x00), times=-1)


def changes(commands: list[Command]) -> set[str]:
    """The names of those commands that change a drive or a cartridge."""
    return {CHANGING[command.cdb[0]] for command in commands if command.cdb[0] in CHANGING}


def plant(rig: Rig, value: bytes) -> None:
    """Put an envelope into the cartridge's memory in place of all that is there; empty: only take away."""
    for found in envelopes.read(rig.settled):
        envelopes.remove(rig.settled, found.attribute)
    if value:
        envelopes.write(rig.settled, value)


def tear(rig: Rig) -> None:
    """Cut the envelope in the cartridge's memory short, as a write that was interrupted would."""
    (found,) = envelopes.read(rig.settled)
    torn = Attribute(AttributeId(found.attribute), found.value[: len(found.value) // 2])
    run(rig.settled, attribute.write_attributes([torn], write_through=True))


def in_memory(rig: Rig) -> tuple[bytes, ...]:
    """The envelopes in the cartridge's memory."""
    return tuple(found.value for found in envelopes.read(rig.settled))


def forged(rig: Rig, medium_serial: str) -> bytes:
    """An envelope that anyone can make: a key of his own, wrapped for our public key, with our words around it."""
    with rig.manager.store.reading() as transaction:
        site = recipients.named(transaction, "site").recipient
    key = new_data_key()
    binding = Binding(key.id, medium_serial, rig.manager.store.manager_id, 99, "ENC001L6")
    return envelope.seal(key, binding, [Named("site", site)], room=1000).envelope


def add(rig: Rig, value: bytes) -> None:
    """Put an envelope into the cartridge's memory beside what is there."""
    envelopes.write(rig.settled, value)


def set_foreign_key(rig: Rig, nexus: str = "host", kad: bytes = FOREIGN_KAD) -> None:
    """Set a key as another program does."""
    transport = rig.machine.transport(nexus)
    load.presence(transport)
    able = abilities.abilities(transport)
    parameters.set_key(
        transport,
        able,
        encryption=modes.WRITE[0],
        decryption=modes.WRITE[1],
        plain=Secret(FOREIGN_KEY),
        kads=able.kad_room.split(kad),
        clear_on_demount=False,
    )


def clear_key(rig: Rig) -> None:
    parameters.clear_key(rig.settled, abilities.abilities(rig.settled))


def write_foreign(rig: Rig) -> None:
    """Write the tape encrypted by another program, which takes its key along when it has finished."""
    set_foreign_key(rig)
    rig.write()
    clear_key(rig)


def open_guard(rig: Rig) -> None:
    if guard.available(rig.settled):
        guard.open(rig.settled)


def write_clear(rig: Rig) -> None:
    """Write the tape in clear, past any guard."""
    open_guard(rig)
    rig.write()


def append_clear(rig: Rig) -> None:
    """Write clear blocks behind what is there, past key and guard."""
    clear_key(rig)
    open_guard(rig)
    run(rig.settled, media.space(SpaceCode.END_OF_DATA))
    run(rig.settled, media.write_block(b"clear" * 100))
    run(rig.settled, media.write_filemarks())


def status(rig: Rig) -> modes.Status:
    return parameters.status(rig.settled)


def try_clear_write(rig: Rig) -> None:
    """Write one block from the beginning with whatever is in the drive."""
    data.write(rig.settled, io.BytesIO(b"clear" * 100), block=512)

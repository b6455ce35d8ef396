"""What other software puts on the wire when it sets its key: Set Data Encryption (0010h) as a whole, CDB and page.

The frames are worked out by hand from what is known of each program's source; the key bytes are the tests' own. Drives
have algorithm index 1 here, which Bareos and LTFS take for granted.
"""

from tapekey.drive import load
from tapekey.exchange import Command
from tapekey.scsi.run import run
from tapekey.secret import Secret
from tests.octets import octets
from tests.rig import Rig

KEY = "5a" * 32
# encrypt and mixed, for all nexuses, nothing beside the blocks, everything else zero
PLAIN = f"00 10 00 30  40 00 02 03  01 00 00 00  00 00 00 00  00 00 00 20  {KEY}"

FRAMES = {
    "Bareos scsicrypto": PLAIN,
    "Proxmox Backup Server": PLAIN,  # CEEM 0, index looked up, no key-associated data: the same bytes
    # CEEM 01b (byte 5: 40h), encrypt and decrypt, the key's description as U-KAD
    "stenc": f"00 10 00 41  40 40 02 02  01 00 00 00  00 00 00 00  00 00 00 20  {KEY}"
    "  00 00 00 0d  53 65 70 74 65 6d 62 65 72 20 6b 65 79",
    # mixed, no CKOD, an identifier of three characters and nine bytes as A-KAD
    "LTFS": f"00 10 00 40  40 00 02 03  01 00 00 00  00 00 00 00  00 00 00 20  {KEY}"
    "  01 00 00 0c  4b 45 59 00 01 02 03 04 05 06 07 08",
}
# Bareos turns encryption off with a key of zeros and its length
BAREOS_OFF = f"00 10 00 30  40 00 00 00  01 00 00 00  00 00 00 00  00 00 00 20  {'00' * 32}"


def sends(agent: Rig, frame: str, nexus: str = "host") -> None:
    """Have another program of this host send a frame."""
    page = octets(frame)
    cdb = octets("B5 20 00 10 00 00") + len(page).to_bytes(4, "big") + bytes(2)
    transport = agent.machine.transport(nexus)
    load.presence(transport)
    run(transport, Command(cdb, data_out=Secret(page)))

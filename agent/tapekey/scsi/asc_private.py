"""Words for private additional sense codes: EEh and EFh of IBM drives whose keys come from elsewhere, 83h of libraries.

EE and EF: IBM LTO SCSI Reference, annex B, and the TS3310 manual, which name the codes and say little more; the causes
are read from the names. They come while the drive waits for keys from somebody who is not us, and what mends them
lies there. Another vendor may use these numbers for something else.
"""

from collections.abc import Mapping
from typing import Final

SERVICE = "look at the library's key manager (its log, its network, the keystore behind it)"
MODE = (
    "if tapekey is to serve this drive, set it to application-managed encryption with the library or the vendor's tool"
)
CHANGED = "read the encryption status again"
FENCED = "have the drive serviced; do not trust what it wrote last without verifying"

# key/ASC/ASCQ: (text, what usually lies behind it, what mends it)
TABLE: Final[Mapping[str, tuple[str, str, str]]] = {
    "7/EF/10": ("IBM: encryption, key required", "the drive waits for a key from its library", MODE),
    "7/EF/11": ("IBM: encryption, key generation", "the drive asks its library for a new key", MODE),
    "7/EF/13": ("IBM: encryption, key translate", "the drive asks its library to open the cartridge's key", MODE),
    "7/EF/1A": ("IBM: encryption, key optional", "the drive would take a key from its library", MODE),
    "7/EF/A0": (
        "IBM: encryption, key required (T10)",
        "the drive's policy demands a key, and none is set",
        "set the key of this cartridge first",
    ),
    "7/EF/A1": (
        "IBM: encryption, key generation (T10)",
        "the drive's policy demands a key, and none is set",
        "set the key of this cartridge first",
    ),
    "7/EF/C0": ("IBM: encryption, no operation", "", MODE),
    # these two have key 4 on LTO-5 and earlier
    "7/EE/0E": ("IBM: key service timeout", "the key manager behind the library did not answer in time", SERVICE),
    "7/EE/0F": ("IBM: key service failure", "the key manager behind the library failed", SERVICE),
    "5/EE/00": ("IBM: key service not enabled", "the drive is not set to get keys from its library", MODE),
    "5/EE/01": ("IBM: key service not configured", "the library has no key manager", SERVICE),
    "5/EE/02": ("IBM: key service not available", "the key manager behind the library cannot be reached", SERVICE),
    "5/EE/10": ("IBM: key required", "", SERVICE),
    "5/EE/25": ("IBM: key format not supported", "the key manager sent a key in a form the drive lacks", SERVICE),
    "5/EE/2B": ("IBM: key incorrect", "the key manager sent another key than this cartridge needs", SERVICE),
    "5/EE/2C": ("IBM: key wrapping failure", "the key manager's wrapped key could not be opened", SERVICE),
    "5/EE/31": ("IBM: key unknown", "the key manager does not have the key of this cartridge", SERVICE),
    "5/EE/FF": ("IBM: security prohibited function", "the drive's security settings forbid the request", MODE),
    "3/EE/D0": (
        "IBM: encryption, read decryption failure",
        "a block could not be decrypted",
        "try the cartridge in another drive, with its key",
    ),
    "3/EE/D1": (
        "IBM: encryption, read after write failure",
        "what was just written could not be decrypted when it was checked",
        "write on another cartridge; clean the drive, have it serviced if it stays",
    ),
    "3/EE/E0": (
        "IBM: encryption, key translation failure",
        "the cartridge's own key record could not be opened",
        SERVICE,
    ),
    "3/EE/F0": ("IBM: encryption, decryption fenced", "the drive has shut off decryption", FENCED),
    "3/EE/F1": ("IBM: encryption, encryption fenced", "the drive has shut off encryption", FENCED),
    "6/EE/12": ("IBM: encryption, key change detected", "another key came into use", CHANGED),
    "6/EE/18": ("IBM: encryption, changed (read)", "another key came into use while reading", CHANGED),
    "6/EE/19": ("IBM: encryption, changed (write)", "another key came into use while writing", CHANGED),
    **{
        f"6/EE/{ascq:02X}": (
            "IBM: encryption, key service event",
            "something about keys changed between the drive and its library",
            CHANGED,
        )
        for ascq in (0x11, *range(0x40, 0x52))  # named by number only
    },
    "6/EF/01": ("IBM: encryption, key service event", "named by number only", CHANGED),
    "6/EF/10": ("IBM: encryption, key required", "the drive asks its library for a key", CHANGED),
    "6/EF/11": ("IBM: encryption, key generation", "the drive asks its library for a new key", CHANGED),
    "6/EF/13": ("IBM: encryption, key translate", "the drive asks its library to open a key", CHANGED),
    "6/EF/1A": ("IBM: encryption, key optional", "the drive would take a key from its library", CHANGED),
    "5/83/02": ("library: no such storage slot", "the library has fewer slots than it was asked for", "check the slot"),
    "5/83/04": ("library: no such drive", "the library has fewer drives than it was asked for", "check the element"),
}

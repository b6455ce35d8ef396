"""Words for the additional sense codes of encryption and security: 74h, and their kin in 00h, 04h, 26h, 2Ah and 55h.

Texts are the T10 list's; triggers from the IBM LTO SCSI Reference (annex B), HP's LTO-4 manual, Oracle's and Quantum's.
"""

from collections.abc import Mapping
from typing import Final

ELSEWHERE = "see who manages this drive's keys: library, system or application; the vendor's tool changes that"
LIBRARY = "look at the library's key manager and its connection; tapekey has no part in it"
MANUAL = "see the drive's SCSI manual for this code"
NO_SA = "tapekey uses no security associations: find out which program does"
REPEAT = "read the encryption status again before anything else is written"

# key/ASC/ASCQ: (text, what usually lies behind it, what mends it)
TABLE: Final[Mapping[str, tuple[str, str, str]]] = {
    "7/74/00": (
        "security error",
        "on HPE drives also: raw reading is set, but this block does not allow it",
        "read the encryption status of the drive and of the next block",
    ),
    "7/74/01": (
        "unable to decrypt data",
        "the block is encrypted and the drive is not set to decrypt",
        "set the key of this cartridge and read again; the tape has not moved",
    ),
    "7/74/02": (
        "unencrypted data encountered while decrypting",
        "the block is clear and the drive is set to read encrypted blocks only",
        "read it with decryption mode MIXED if clear blocks are expected on this cartridge",
    ),
    "7/74/03": (
        "incorrect data encryption key",
        "the key in the drive is not the one that this block was written with",
        "look up the key by the block's key-associated data; never try keys one after another",
    ),
    "7/74/04": (
        "cryptographic integrity validation failed",
        "the block was damaged or changed since it was written",
        "do not trust this tape; restore from another copy and keep it for examination",
    ),
    "7/74/05": (
        "error decrypting data",
        "HPE LTO-4 says this when the key-associated data differ from the block read before; no other trigger is known",
        "read the next block's encryption status; if a new key is named there, set it and read again",
    ),
    "7/74/06": (
        "unknown signature verification key",
        "a wrapped key was signed by somebody whom the drive does not know",
        "send it without a signature, or give the drive the signer's key",
    ),
    "7/74/07": (  # trigger unverified
        "encryption parameters not useable",
        "the parameters do not fit this cartridge or position, for instance an algorithm that its generation lacks",
        "read the drive's capabilities with this cartridge loaded and set the key anew",
    ),
    "5/74/08": (
        "digital signature validation failure",
        "the signature of a wrapped key or of firmware does not verify",
        "wrap the key again for this drive",
    ),
    "7/74/09": (
        "encryption mode mismatch on read",
        "the block was written in the mode (encrypted or external) that the parameters ask to refuse",
        "read it with a check of encryption mode that allows it",
    ),
    "7/74/0A": (
        "encrypted block not raw read enabled",
        "whoever wrote this block forbade reading it raw",
        "read it decrypted, with its key",
    ),
    "7/74/0B": (  # trigger unverified
        "incorrect encryption parameters",
        "raw data being written do not match the metadata given with them",
        "read the metadata of each source block before writing it",
    ),
    "5/74/0C": (
        "unable to decrypt parameter list",
        "the drive could not unwrap the key sent to it",
        "read the drive's public key again, compare it with the approved one, and wrap the key for it",
    ),
    "5/74/0D": ("encryption algorithm disabled", "the drive's settings forbid this algorithm", ELSEWHERE),
    "5/74/10": ("SA creation parameter value invalid", "", NO_SA),
    "5/74/11": ("SA creation parameter value rejected", "", NO_SA),
    "5/74/12": ("invalid SA usage", "", NO_SA),
    "5/74/21": (  # trigger unverified
        "data encryption configuration prevented",
        "the library or a management interface holds this drive's encryption",
        ELSEWHERE,
    ),
    "5/74/30": ("SA creation parameter not supported", "", NO_SA),
    "B/74/40": ("authentication failed", "", MANUAL),
    "7?/74/61": (
        "external data encryption key manager access error",
        "the key manager behind the library cannot be reached",
        LIBRARY,
    ),
    "7?/74/62": ("external data encryption key manager error", "the key manager behind the library failed", LIBRARY),
    "7?/74/63": (
        "external data encryption key not found",
        "the key manager behind the library does not have the key of this cartridge",
        LIBRARY,
    ),
    "7?/74/64": (
        "external data encryption request not authorized",
        "the key manager behind the library does not serve this drive",
        LIBRARY,
    ),
    "7?/74/6E": ("external data encryption control timeout", "the library did not answer in time", LIBRARY),
    "7/74/6F": ("external data encryption control error", "the library failed to set the drive's key", LIBRARY),
    "5?/74/71": (
        "logical unit access not authorized",
        "the drive wants to know who is asking",
        "see the drive's access settings",
    ),
    "-/74/79": ("security conflict in translated device", "", MANUAL),
    "5/26/00": (
        "invalid field in parameter list",
        "a field holds what the drive does not take, or bytes that are to be zero are not",
        "see the field that is named; read the drive's capabilities with the cartridge loaded",
    ),
    "5/26/01": ("parameter not supported", "a field of the parameter list is not known to this drive", MANUAL),
    "5/26/02": ("parameter value invalid", "a field of the parameter list is out of this drive's range", MANUAL),
    "-/26/05": (
        "data decryption error",
        "the drive could not decrypt what was sent to it",
        "wrap the key again for this drive",
    ),
    "7/26/10": (
        "data decryption key fail limit reached",
        "too many wrong keys were tried on this cartridge (ten on HPE drives), each with a read that failed",
        "unload and load the cartridge, or power-cycle the drive; then set the one right key",
    ),
    "5/26/11": (
        "incomplete key-associated data set",
        "the drive wants key-associated data with the key, and got none or not all",
        "send the key-associated data of the block along with its key",
    ),
    "5/26/12": (
        "vendor specific key reference not found",
        "the drive does not hold the key that was named",
        "send the key itself",
    ),
    "5/55/08": (
        "maximum number of supplemental decryption keys exceeded",
        "the drive has no room for another key to read with",
        "clear the keys, and set the one that is needed",
    ),
    "7/2A/13": (
        "data encryption key instance counter has changed",
        "somebody else set or cleared the drive's key since we locked ours; not a unit attention",
        "find out who did; read the encryption status, then set the key again",
    ),
    "6/2A/11": (
        "data encryption parameters changed by another I_T nexus",
        "another host set or cleared the drive's key",
        "find out who did; " + REPEAT,
    ),
    "6/2A/12": (
        "data encryption parameters changed by vendor specific event",
        "the drive dropped or changed its key by itself: an unload, a lost reservation, or its library",
        REPEAT,
    ),
    "6/2A/14": ("SA creation capabilities data has changed", "", NO_SA),
    "6/2A/0D": (
        "data encryption capabilities changed",
        "the drive now offers other algorithms, or none",
        "read the drive's capabilities again",
    ),
    "6/2A/10": (
        "timestamp changed, or (in IBM's list) crypto capabilities changed",
        "somebody set the drive's clock; IBM's manual gives the same code to changed encryption capabilities",
        "read the drive's capabilities again",
    ),
    "B/00/1E": ("conflicting SA creation request", "", NO_SA),
    "2/04/13": ("not ready, SA creation in progress", "", NO_SA),
}

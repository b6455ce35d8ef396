"""Words for the general additional sense codes that tapes and media changers give.

Texts are the T10 list's; where a code is used, from the IBM LTO and Quantum Scalar SCSI references.
"""

from collections.abc import Mapping
from typing import Final

AGAIN = "read the drive's state again and repeat"
BUG = "this is likely a fault in the program that asked, or a drive that lacks the feature"
CLEAN = "clean the drive, then try the cartridge in another drive"
KEY_MAY_BE_GONE = "the drive may have lost its key: read the encryption status before the next write"
LOAD = "load a cartridge"
RELOADED = "identify the cartridge anew, and forget what was known of the one before"
RESERVED = "find out which host has reserved the drive"
SLOT = "take the library's inventory again, and check the element"
WAIT = "wait; the drive will be ready by itself"

# key/ASC/ASCQ: (text, what usually lies behind it, what mends it)
TABLE: Final[Mapping[str, tuple[str, str, str]]] = {
    "0/00/00": ("no additional sense", "", ""),
    "0/00/01": ("filemark detected", "a filemark was met before all was read or passed", ""),
    "0/00/02": ("end of partition or medium", "the tape is nearly full", "finish, and continue on another cartridge"),
    "3/00/02": ("end of partition or medium", "reading went beyond the end of the tape", "check the position"),
    "D/00/02": ("end of partition or medium", "the tape is full", "continue on another cartridge"),
    "0/00/04": ("beginning of partition or medium", "the tape was moved back as far as it goes", ""),
    "8/00/05": ("end of data detected", "nothing is recorded from here on", "check the position, and the cartridge"),
    "0/00/07": ("programmable early warning", "the tape is as full as the program asked to be told of", ""),
    "2/04/00": ("not ready, cause not reportable", "", "wait, then look at the drive's own display"),
    "2/04/01": (
        "becoming ready",
        "the drive is loading; the first load of an LTO-9 cartridge may take two hours",
        WAIT,
    ),
    "2/04/02": ("not ready, to be started", "a cartridge is in the drive but not threaded", "load it"),
    "2/04/12": ("not ready, offline", "the drive was taken offline", "put it online with the library or the drive"),
    "3/04/10": (
        "auxiliary memory not accessible",
        "the cartridge's memory chip cannot be reached now",
        "load the cartridge fully, then repeat; if it stays, the chip or its reader is at fault",
    ),
    "3/0C/0B": ("auxiliary memory write error", "the cartridge's memory chip cannot be written", CLEAN),
    "3/11/12": ("auxiliary memory read error", "the cartridge's memory chip cannot be read", CLEAN),
    "4/15/01": ("mechanical positioning error", "the library or drive could not move there", "look inside the library"),
    "5/1A/00": ("parameter list length error", "the list sent was cut in the middle of something", BUG),
    "5/20/00": (
        "invalid command operation code",
        "the drive does not know this command, or its settings forbid it",
        BUG,
    ),
    "5/21/01": ("invalid element address", "the library has no such element", SLOT),
    "5/24/00": (
        "invalid field in CDB",
        "the drive lacks the page or option; encryption pages also where others hold its keys",
        BUG,
    ),
    "5/25/00": ("logical unit not supported", "there is no drive at this address", "check the address"),
    "7/27/00": (
        "write protected",
        "the cartridge's write-protect tab is set, or the drive may not write this generation",
        "slide the write-protect tab, or mount another cartridge",
    ),
    "6/28/00": ("not ready to ready change, medium may have changed", "a cartridge was loaded", RELOADED),
    "6/28/01": ("import or export element accessed", "the library's door was used", "take the inventory again"),
    "6/29/00": ("power on, reset or bus device reset", "", KEY_MAY_BE_GONE),
    "6/29/01": ("power on", "the drive was switched on", KEY_MAY_BE_GONE),
    "6/29/03": ("bus device reset function", "somebody reset the drive", KEY_MAY_BE_GONE),
    "6/29/04": ("device internal reset", "the drive reset itself", KEY_MAY_BE_GONE),
    "6/29/07": ("I_T nexus loss", "the connection to the drive was lost and made again", KEY_MAY_BE_GONE),
    "6/2A/01": ("mode parameters changed", "another host changed the drive's settings", AGAIN),
    "6/2A/03": ("reservations preempted", "another host took the reservation", RESERVED),
    "6/2A/04": ("reservations released", "another host gave its reservation up", AGAIN),
    "6/2A/05": ("registrations preempted", "another host removed our registration", RESERVED),
    "5/2C/00": ("command sequence error", "the command does not fit what came before it", BUG),
    "5/2C/0B": ("not reserved", "the command needs a reservation that we do not hold", "reserve the drive first"),
    "3/30/00": ("incompatible medium installed", "the drive does not take this cartridge", "use one that it takes"),
    "3/30/01": ("cannot read medium, unknown format", "", "use a drive that knows this format"),
    "3/30/02": ("cannot read medium, incompatible format", "", "use a drive of a generation that reads it"),
    "2/30/03": (
        "cleaning cartridge installed",
        "the drive is being cleaned",
        "wait until the cleaning cartridge is out",
    ),
    "7/30/05": (
        "cannot write medium, incompatible medium",
        "the drive reads this generation but does not write it",
        "use a drive or a cartridge of a generation that fits",
    ),
    "7/30/0C": ("WORM medium, overwrite attempted", "a write-once cartridge can only be appended to", "append only"),
    "2/3A/00": ("medium not present", "the drive is empty", LOAD),
    "2/3A/04": (
        "medium not present, auxiliary memory accessible",
        "a cartridge is in the mouth of the drive, not loaded",
        LOAD,
    ),
    "B/10/01": (
        "logical block guard check failed",
        "a block was changed between the program and the drive",
        "check cables and adapters, and write it again",
    ),
    "5/26/04": (
        "invalid release of persistent reservation",
        "the reservation is of another type than the one to be released",
        RESERVED,
    ),
    "6/2A/02": ("log parameters changed", "another host has reset the drive's counters", AGAIN),
    "5/3B/0C": ("position past beginning of medium", "this works at the beginning of the tape only", "rewind first"),
    "5/3B/0D": ("medium destination element full", "there is a cartridge already", SLOT),
    "5/3B/0E": ("medium source element empty", "there is no cartridge to move", SLOT),
    # 3B/12 to 3B/1B: the range is Quantum's, the single texts are unverified
    "6/3B/12": ("medium magazine removed", "", SLOT),
    "6/3B/13": ("medium magazine inserted", "", SLOT),
    "6/3B/14": ("medium magazine locked", "", SLOT),
    "6/3B/15": ("medium magazine unlocked", "", SLOT),
    "6/3B/16": ("mechanical positioning or changer error", "", "look inside the library"),
    "6/3B/17": ("read past end of user object", "", AGAIN),
    "6/3B/18": ("element disabled", "a drive or slot was switched off", SLOT),
    "6/3B/19": ("element enabled", "a drive or slot was switched on", SLOT),
    "6/3B/1A": ("data transfer device removed", "a drive was taken out of the library", SLOT),
    "6/3B/1B": ("data transfer device inserted", "a drive was put into the library", SLOT),
    "6/3F/01": ("microcode has been changed", "the drive has new firmware", "identify the drive anew"),
    "3/53/00": (
        "media load or eject failed",
        "the tape could not be threaded",
        "take the cartridge out and look at it; try it in another drive",
    ),
    "5/53/02": (
        "medium removal prevented",
        "a program has locked the cartridge into the drive",
        "finish that program, or let it allow removal",
    ),
    "5/53/03": (
        "medium removal prevented by data transfer element",
        "the drive has not unloaded the cartridge, and the library does not do that by itself",
        "unload it in the drive first",
    ),
    "4/53/00": (
        "media load or eject failed",
        "the drive did not take the cartridge, or did not give it back; it is where it was",
        "look at cartridge and drive",
    ),
    "4/44/00": ("internal target failure", "the device has failed within itself", "look at its own messages"),
    "5/39/00": ("saving parameters not supported", "the device keeps nothing without power", "do not save"),
    "5/53/06": (  # IBM's annex B prints 53/06, almost surely for 55/06
        "auxiliary memory out of space",
        "the cartridge's memory chip has no room for the attribute",
        "remove attributes that nobody needs, or write a shorter one",
    ),
    "5/55/06": (
        "auxiliary memory out of space",
        "the cartridge's memory chip has no room for the attribute",
        "remove attributes that nobody needs, or write a shorter one",
    ),
    "5?/55/09": (
        "medium auxiliary memory not accessible",
        "the cartridge's memory chip cannot be reached now",
        "load the cartridge fully, then repeat",
    ),
    "7/5A/02": (
        "operator selected write protect",
        "the drive is in append-only mode, and this would overwrite",
        "append, or allow overwriting at this position",
    ),
}

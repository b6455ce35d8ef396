"""Personalities: what differs between the drives that the virtual drive can be, one row per fact.

The values are those of the vendors' manuals as far as they are known; rows marked UNV are supposed, not read.
Knobs are rows too: `replace(PERSONALITIES["ibm-lto6"], mam_vendor_range=False)`.
"""

import dataclasses
from dataclasses import dataclass
from enum import Enum, IntEnum


class Management(Enum):
    """Who may set encryption parameters."""

    APPLICATION = "application"
    LIBRARY = "library"
    DISABLED = "disabled"
    NONE = "none"  # the drive has no encryption at all


class KadRule(Enum):
    """How a Set Data Encryption page is held against the table of keys and key-associated data."""

    IBM = "ibm"  # key-associated data that the modes do not use is refused
    LOOSE = "loose"  # it is ignored
    ORACLE = "oracle"  # U-KAD is part of finding the key: compared with the block's at every read


class RawDecryption(IntEnum):
    """RDMC_C of the algorithm descriptor."""

    NOT_ALLOWED = 1
    DISABLED = 4
    ENABLED = 5


@dataclass(frozen=True, slots=True)
class Algorithm:
    """One algorithm descriptor: its index, the room it gives, and the media it is valid for."""

    index: int
    max_ukad: int
    max_akad: int
    media: tuple[str, ...]
    code: int = 0x0001_0014
    code_mounted: int = 0x0001_0014


# Version descriptors (SPC-4 annex; UNV which of them each drive gives): SAM-4, SPC-4, SSC-3, iSCSI.
SAM_SPC_SSC = (0x0080, 0x0460, 0x0400, 0x0960)


@dataclass(frozen=True, slots=True)
class Personality:
    """Every fact by which one drive differs from another."""

    name: str
    vendor: str
    product: str
    revision: str
    generation: str
    reads: tuple[str, ...]  # generations of media it takes
    writes: tuple[str, ...]
    algorithms: tuple[Algorithm, ...]
    in_pages: tuple[int, ...]
    key_formats: tuple[int, ...] = (0x00,)
    public_key: bool = False
    kad_rule: KadRule = KadRule.LOOSE
    kad_format: bool = False  # KADF_C
    kad_flags_checked: bool = False  # refuse bits of a KAD descriptor that the client left uninitialised
    kad_size_latent: bool = False  # an oversized KAD is found at the write only
    parameters_control: int = 1
    external_control: int = 2  # EXTDECC
    dkad: int = 3  # DKAD_C: accepted, optional
    external_mode: int = 2  # EEMC_C: allowed
    raw: RawDecryption = RawDecryption.ENABLED
    records_mode: bool = True  # EAREM
    ukad_authentication: int = 1
    akad_authentication: int = 2
    filemark_status: int = 2  # encryption status of a filemark in page 0021h
    next_block_without_medium: bool = True
    read_ahead_knows: bool = True  # False: the next block is unknown (1h) until a read has tried it
    takes_key_when_empty: bool = True  # False: no algorithm's index is good while no volume is mounted (UNV for whom)
    locks: bool = True  # LOCK_C
    lock_guards_write_only: bool = False
    wrong_key_limit: int | None = None
    log_sense_reports_attention: bool = True
    writes_require_encryption: bool = False  # mode page 10h/01h byte 8
    extension_page: bool = True  # mode page 10h/01h at all
    external_hides_security: bool = False  # not application-managed: SPIN is an unknown command (IBM)
    unconfigured_refuses_protocol: bool = False  # not application-managed: 5/24/00 (T10000 without DPKM)
    ibm_pages: bool = False  # mode pages 24h and 30h/20h, log page 31h, vendor parameters of log page 11h
    vpd_b1: bool = True
    reservation_types: tuple[int, ...] = (1, 3, 5, 6, 7, 8)
    mam_vendor_range: bool = True
    mam_outlives_cartridge: bool = False
    tape_alert: bool = True
    management: Management = Management.APPLICATION
    load_time: float = 0.0  # seconds until a loaded cartridge is ready
    cleaning_time: float = 120.0  # seconds until a cleaning cartridge is pushed out again
    reservations_persist: bool = False  # APTPL: persistent reservations outlast a loss of power
    protection: tuple[int, ...] = ()  # methods of logical block protection: 1 Reed-Solomon, 2 CRC32C
    append_only: bool = False  # WRITE MODE of page 10h/01h, and ALLOW OVERWRITE
    versions: tuple[int, ...] = SAM_SPC_SSC  # version descriptors of standard INQUIRY data
    unload_time: float = 0.0  # seconds until an unloaded one can be taken
    max_block: int = 0x80_0000


def replace(personality: Personality, **knobs: object) -> Personality:
    """The personality with some rows changed; a name that is no row is the caller's mistake."""
    return dataclasses.replace(personality, **knobs)  # type: ignore[arg-type]


PLAIN_PAGES = (0x0000, 0x0001, 0x0010, 0x0011, 0x0012, 0x0020, 0x0021)
RANDOM_PAGES = (*PLAIN_PAGES, 0x0030)
WRAPPING_PAGES = (*RANDOM_PAGES, 0x0031)

LTO4, LTO5, LTO6, LTO7, LTO8, LTO9 = "lto4", "lto5", "lto6", "lto7", "lto8", "lto9"

# Which media an index is for is UNV: inferred from the room for A-KAD that IBM prints beside each.
INDEX_1 = Algorithm(index=1, max_ukad=32, max_akad=12, media=(LTO4,))
INDEX_2 = Algorithm(index=2, max_ukad=32, max_akad=60, media=(LTO5,))
INDEX_3 = Algorithm(index=3, max_ukad=32, max_akad=60, media=(LTO6, LTO7, LTO8, LTO9))


def _ibm(generation: str, revision: str, **facts: object) -> Personality:
    digit = int(generation[3:])
    oldest = max(digit - (2 if digit < 8 else 1), 3)
    row: dict[str, object] = {
        "name": f"ibm-{generation}",
        "vendor": "IBM",
        "product": f"ULT3580-TD{digit}",
        "revision": revision,
        "generation": generation,
        "reads": tuple(f"lto{n}" for n in range(oldest, digit + 1)),
        "writes": (f"lto{digit - 1}", generation),
        "in_pages": RANDOM_PAGES,
        "kad_rule": KadRule.IBM,
        "kad_format": True,
        "kad_size_latent": True,
        "filemark_status": 1,
        "log_sense_reports_attention": False,
        "writes_require_encryption": True,
        "external_hides_security": True,
        "ibm_pages": True,
        "reservation_types": (3, 6, 8),
        "reservations_persist": True,  # UNV
        "append_only": digit >= 5,  # which generations: UNV, LTFS uses it wherever page 10h/01h is
        # LTFS takes CRC32C from LTO-7 on, and Reed-Solomon before that; that LTO-7 and later know both: UNV.
        "protection": (1, 2) if digit >= 7 else (1,) if digit >= 5 else (),
    }
    return Personality(**row | facts)  # type: ignore[arg-type]


_OLD_CACHE = {"mam_outlives_cartridge": True}
_WRAPS = {"in_pages": WRAPPING_PAGES, "key_formats": (0x00, 0x02), "public_key": True}

_HPE = Personality(
    name="hpe-lto5",
    vendor="HP",
    product="Ultrium 5-SCSI",
    revision="Z64D",
    generation=LTO5,
    reads=("lto3", LTO4, LTO5),
    writes=(LTO4, LTO5),
    algorithms=(Algorithm(index=1, max_ukad=32, max_akad=60, media=(LTO4, LTO5)),),  # sizes UNV for LTO-5
    in_pages=PLAIN_PAGES,
    lock_guards_write_only=True,
    wrong_key_limit=10,
)

PERSONALITIES: dict[str, Personality] = {
    row.name: row
    for row in (
        # Writes-require-encryption on LTO-4: UNV, so absent. PARAMETERS CONTROL is always 000b there.
        _ibm(
            LTO4,
            "A239",
            algorithms=(INDEX_1,),
            kad_format=False,
            parameters_control=0,
            writes_require_encryption=False,
            extension_page=False,
            vpd_b1=False,
            **_OLD_CACHE,
        ),
        _ibm(LTO5, "B170", algorithms=(INDEX_1, INDEX_2), vpd_b1=False, **_OLD_CACHE),
        _ibm(LTO6, "G350", algorithms=(INDEX_1, INDEX_2, INDEX_3), **_OLD_CACHE),
        _ibm(LTO7, "G9Q1", algorithms=(INDEX_2, INDEX_3), **_WRAPS),
        # The drive is said to relax its check of the index; here it does not, as no client should rely on that.
        _ibm(LTO8, "HB81", algorithms=(INDEX_3,), **_WRAPS),
        _ibm(LTO9, "N4Q0", algorithms=(INDEX_3,), **_WRAPS),
        _HPE,
        replace(
            _HPE,
            name="hpe-lto6",
            product="Ultrium 6-SCSI",
            revision="25CW",
            generation=LTO6,
            reads=(LTO4, LTO5, LTO6),
            writes=(LTO5, LTO6),
            algorithms=(Algorithm(index=1, max_ukad=32, max_akad=60, media=(LTO4, LTO5, LTO6)),),
            in_pages=WRAPPING_PAGES,  # inferred from the one known client of the wrapped form
            key_formats=(0x00, 0x02),
            public_key=True,
            kad_format=True,
        ),
        # Index 00h in one edition of the manual, 01h in the other and in a program that worked: 01h here.
        Personality(
            name="quantum-lto4",
            vendor="QUANTUM",
            product="ULTRIUM 4",
            revision="2210",
            generation=LTO4,
            reads=("lto2", "lto3", LTO4),
            writes=("lto3", LTO4),
            algorithms=(INDEX_1,),
            in_pages=WRAPPING_PAGES,
            key_formats=(0x00, 0x02),
            public_key=True,
            extension_page=False,
            ukad_authentication=2,
            akad_authentication=3,
        ),
        Personality(
            name="oracle-t10000c",
            vendor="STK",
            product="T10000C",
            revision="1.57",
            generation="t10000c",
            reads=("t10000a", "t10000b", "t10000c"),
            writes=("t10000c",),
            algorithms=(
                Algorithm(
                    index=1,
                    max_ukad=30,
                    max_akad=0,
                    media=("t10000c",),
                    code=0x0001_0010,
                    code_mounted=0x8001_0010,  # as one emulator reports it with a medium loaded
                ),
            ),
            in_pages=PLAIN_PAGES,
            kad_rule=KadRule.ORACLE,
            dkad=1,  # required
            external_mode=1,  # not allowed
            raw=RawDecryption.NOT_ALLOWED,
            records_mode=False,
            unconfigured_refuses_protocol=True,
            next_block_without_medium=False,
        ),
    )
}

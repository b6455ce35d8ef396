"""Mode pages of tape drives, SSC-4 and IBM's (reference 1.12, 11.3): one structure a page.

Each begins with its own header, so that a page read from a drive can be changed and sent back. Bytes that have no
row are kept in `tail`: a drive may be newer than these tables.
"""

from dataclasses import dataclass
from typing import Final

from tapekey.wire.codes import Code
from tapekey.wire.layout import bits, octets, rest, uint, wire


class ModePage(Code):
    """PAGE CODE of mode pages."""

    VENDOR = 0x00
    ERROR_RECOVERY = 0x01
    DISCONNECT = 0x02
    CONTROL = 0x0A
    DATA_COMPRESSION = 0x0F
    DEVICE_CONFIGURATION = 0x10
    MEDIUM_PARTITION = 0x11
    PORT = 0x18
    PORT_CONTROL = 0x19
    POWER = 0x1A
    INFORMATIONAL_EXCEPTIONS = 0x1C
    MEDIUM_CONFIGURATION = 0x1D
    IBM_VENDOR = 0x24
    IBM_READ_WRITE_CONTROL = 0x25
    IBM_ENCRYPTION = 0x30
    ALL = 0x3F


EXTENSION: Final = 0x01  # subpage of 10h
PROTECTION: Final = 0xF0  # subpage of 0Ah
ENCRYPTION_MODE: Final = 0x20  # subpage of 30h
ALL_SUBPAGES: Final = 0xFF


class WriteMode(Code):
    """WRITE MODE of page 10h/01h."""

    OVERWRITE_ALLOWED = 0
    APPEND_ONLY = 1


class ProtectionMethod(Code):
    """LOGICAL BLOCK PROTECTION METHOD."""

    NONE = 0
    REED_SOLOMON = 1
    CRC32C = 2


class EncryptionMethod(Code):
    """Byte 5 of IBM's page 30h/20h: who manages encryption."""

    NONE = 0x01
    APPLICATION = 0x03
    LIBRARY = 0x04


class EncryptionDefault(Code):
    """Byte 7 of IBM's page 30h/20h, under library management."""

    NONE = 0x01
    ALWAYS = 0x02
    BARCODE_POLICY = 0x03
    LABEL_SELECTIVE = 0x06
    LABEL_ALL = 0x07


class PartitionUnit(Code):
    """PSUM of page 11h: the unit of partition sizes."""

    BYTES = 0b00
    KILOBYTES = 0b01
    MEGABYTES = 0b10
    TEN_TO_THE_UNITS = 0b11


# fmt: off
@wire(size=12)
@dataclass(frozen=True, slots=True)
class Control:
    """Control, page 0Ah."""

    saveable:         bool     = bits(0, 7, 7, bool)
    page:             ModePage = bits(0, 5, 0, ModePage, default=ModePage.CONTROL)
    length:           int      = uint(1, 1, default=0x0A)
    descriptor_sense: bool     = bits(2, 2, 2, bool)
    tail:             bytes    = octets(3, 9)


@wire(size=32)
@dataclass(frozen=True, slots=True)
class ControlExtension:
    """Control Extension, page 0Ah/01h; `timestamp_changeable` is SCSIP: SET TIMESTAMP is taken."""

    saveable:             bool     = bits(0, 7, 7, bool)
    subpage_format:       bool     = bits(0, 6, 6, bool, default=True)
    page:                 ModePage = bits(0, 5, 0, ModePage, default=ModePage.CONTROL)
    subpage:              int      = uint(1, 1, default=EXTENSION)
    length:               int      = uint(2, 2, default=0x1C)
    timestamp_outranked:  bool     = bits(4, 2, 2, bool)
    timestamp_changeable: bool     = bits(4, 1, 1, bool)
    tail:                 bytes    = octets(5, 27)


@wire(size=32)
@dataclass(frozen=True, slots=True)
class ControlProtection:
    """Control Data Protection, page 0Ah/F0h."""

    saveable:           bool             = bits(0, 7, 7, bool)
    subpage_format:     bool             = bits(0, 6, 6, bool, default=True)
    page:               ModePage         = bits(0, 5, 0, ModePage, default=ModePage.CONTROL)
    subpage:            int              = uint(1, 1, default=PROTECTION)
    length:             int              = uint(2, 2, default=0x1C)
    method:             ProtectionMethod = uint(4, 1, ProtectionMethod)
    information_length: int              = bits(5, 5, 0)
    on_write:           bool             = bits(6, 7, 7, bool)  # LBP_W
    on_read:            bool             = bits(6, 6, 6, bool)  # LBP_R
    on_recover:         bool             = bits(6, 5, 5, bool)  # RBDP
    tail:               bytes            = octets(7, 25)


@wire(size=16)
@dataclass(frozen=True, slots=True)
class DataCompression:
    """Data Compression, page 0Fh."""

    saveable:                bool     = bits( 0, 7, 7, bool)
    page:                    ModePage = bits( 0, 5, 0, ModePage, default=ModePage.DATA_COMPRESSION)
    length:                  int      = uint( 1, 1, default=0x0E)
    enabled:                 bool     = bits( 2, 7, 7, bool)  # DCE
    capable:                 bool     = bits( 2, 6, 6, bool)  # DCC
    decompression_enabled:   bool     = bits( 3, 7, 7, bool)  # DDE
    report_exceptions:       int      = bits( 3, 6, 5)        # RED
    compression_algorithm:   int      = uint( 4, 4)
    decompression_algorithm: int      = uint( 8, 4)


@wire(size=16)
@dataclass(frozen=True, slots=True)
class DeviceConfiguration:
    """Device Configuration, page 10h."""

    saveable:                 bool     = bits( 0, 7, 7, bool)
    page:                     ModePage = bits( 0, 5, 0, ModePage, default=ModePage.DEVICE_CONFIGURATION)
    length:                   int      = uint( 1, 1, default=0x0E)
    change_format:            bool     = bits( 2, 5, 5, bool)  # CAF
    active_partition:         int      = uint( 3, 1)
    write_buffer_ratio:       int      = uint( 4, 1)
    read_buffer_ratio:        int      = uint( 5, 1)
    write_delay:              int      = uint( 6, 2)           # in 100 ms
    buffer_recovery:          bool     = bits( 8, 7, 7, bool)  # OBR
    object_identifiers:       bool     = bits( 8, 6, 6, bool)  # LOIS
    automatic_velocity:       bool     = bits( 8, 4, 4, bool)  # AVC
    stop_on_filemarks:        int      = bits( 8, 3, 2)        # SOCF
    recover_buffer_order:     bool     = bits( 8, 1, 1, bool)  # ROBO
    report_early_warning:     bool     = bits( 8, 0, 0, bool)  # REW
    gap_size:                 int      = uint( 9, 1)
    end_of_data_defined:      int      = bits(10, 7, 5)        # EOD
    end_of_data_generation:   bool     = bits(10, 4, 4, bool)  # EEG
    synchronize_early_warning: bool    = bits(10, 3, 3, bool)  # SEW
    soft_write_protect:       bool     = bits(10, 2, 2, bool)  # SWP
    block_address_mode_lock:  bool     = bits(10, 1, 1, bool)  # BAML
    block_address_mode:       bool     = bits(10, 0, 0, bool)  # BAM
    early_warning_size:       int      = uint(11, 3)
    compression:              int      = uint(14, 1)
    write_retention:          int      = bits(15, 7, 6)        # WTRE
    only_if_reserved:         bool     = bits(15, 5, 5, bool)  # OIR
    rewind_on_reset:          int      = bits(15, 4, 3)
    associated_write_protect: bool     = bits(15, 2, 2, bool)  # ASOCWP
    persistent_write_protect: bool     = bits(15, 1, 1, bool)  # PERSWP
    permanent_write_protect:  bool     = bits(15, 0, 0, bool)  # PRMWP


@wire(size=32)
@dataclass(frozen=True, slots=True)
class DeviceConfigurationExtension:
    """Device Configuration Extension, page 10h/01h; the bits of byte 8 close a drive to clear writes.

    The automation's two (AC…) are a view of the library's policy and cannot be set by a host.
    """

    saveable:                   bool      = bits(0, 7, 7, bool)
    subpage_format:             bool      = bits(0, 6, 6, bool, default=True)
    page:                       ModePage  = bits(0, 5, 0, ModePage, default=ModePage.DEVICE_CONFIGURATION)
    subpage:                    int       = uint(1, 1, default=EXTENSION)
    length:                     int       = uint(2, 2, default=0x1C)
    early_warning_unit:         int       = bits(4, 7, 4)        # PE_UN
    tape_alert_respect_fields:  bool      = bits(4, 3, 3, bool)  # TARPF
    tape_alert_select_exceptions: bool    = bits(4, 2, 2, bool)  # TASER
    tape_alert_respect_control: bool      = bits(4, 1, 1, bool)  # TARPC
    tape_alert_prevent_deletion: bool     = bits(4, 0, 0, bool)  # TAPLSD
    write_mode:                 WriteMode = bits(5, 7, 4, WriteMode)
    short_erase_mode:           int       = bits(5, 3, 0)
    early_warning_size:         int       = uint(6, 2)           # PEWS
    automation_writes_require_encryption:  bool = bits(8, 3, 3, bool)  # ACWRE
    writes_require_encryption:             bool = bits(8, 2, 2, bool)  # WRE
    automation_appends_require_encryption: bool = bits(8, 1, 1, bool)  # ACVCELBRE
    appends_require_encryption:            bool = bits(8, 0, 0, bool)  # VCELBRE
    tail:                       bytes     = octets(9, 23)


@wire(size=8)
@dataclass(frozen=True, slots=True)
class MediumPartition:
    """Medium Partition, page 11h; `sizes` holds two bytes a partition."""

    saveable:              bool          = bits(0, 7, 7, bool)
    page:                  ModePage      = bits(0, 5, 0, ModePage, default=ModePage.MEDIUM_PARTITION)
    length:                int           = uint(1, 1, default=0x06)
    maximum_additional:    int           = uint(2, 1)
    additional:            int           = uint(3, 1)
    fixed:                 bool          = bits(4, 7, 7, bool)  # FDP
    by_count:              bool          = bits(4, 6, 6, bool)  # SDP
    by_sizes:              bool          = bits(4, 5, 5, bool)  # IDP
    unit:                  PartitionUnit = bits(4, 4, 3, PartitionUnit)  # PSUM
    on_format:             bool          = bits(4, 2, 2, bool)  # POFM
    clear:                 bool          = bits(4, 1, 1, bool)  # CLEAR
    add:                   bool          = bits(4, 0, 0, bool)  # ADDP
    recognition:           int           = uint(5, 1)
    partitioning:          int           = bits(6, 7, 4)
    units:                 int           = bits(6, 3, 0)
    sizes:                 bytes         = rest(8)


@wire(size=32)
@dataclass(frozen=True, slots=True)
class MediumConfiguration:
    """Medium Configuration, page 1Dh."""

    saveable:              bool     = bits(0, 7, 7, bool)
    page:                  ModePage = bits(0, 5, 0, ModePage, default=ModePage.MEDIUM_CONFIGURATION)
    length:                int      = uint(1, 1, default=0x1E)
    write_once:            bool     = bits(2, 0, 0, bool)  # WORMM
    label_restrictions:    int      = uint(4, 1)
    filemark_restrictions: int      = uint(5, 1)
    tail:                  bytes    = octets(6, 26)


@wire(size=8)
@dataclass(frozen=True, slots=True)
class IbmVendor:
    """IBM's vendor page 24h; its bits are disputed between sources, so it proves nothing alone."""

    saveable:           bool     = bits(0, 7, 7, bool)
    page:               ModePage = bits(0, 5, 0, ModePage, default=ModePage.IBM_VENDOR)
    length:             int      = uint(1, 1, default=0x06)
    other:              bytes    = octets(2, 5)
    encryption_enabled: bool     = bits(7, 3, 3, bool)  # ENCR_E
    fips:               bool     = bits(7, 1, 1, bool)
    encryption_capable: bool     = bits(7, 0, 0, bool)  # ENCR_C


@wire(size=9)
@dataclass(frozen=True, slots=True)
class IbmEncryption:
    """IBM LTO Encryption Mode, page 30h/20h: who manages encryption. Read-only, and answered where SPIN is not."""

    saveable:          bool              = bits(0, 7, 7, bool)
    subpage_format:    bool              = bits(0, 6, 6, bool, default=True)
    page:              ModePage          = bits(0, 5, 0, ModePage, default=ModePage.IBM_ENCRYPTION)
    subpage:           int               = uint(1, 1, default=ENCRYPTION_MODE)
    length:            int               = uint(2, 2, default=0x05)
    method:            EncryptionMethod  = uint(5, 1, EncryptionMethod)
    key_path:          int               = uint(6, 1)
    default_state:     EncryptionDefault = uint(7, 1, EncryptionDefault)
    density_reporting: int               = uint(8, 1)
# fmt: on


Structure = (
    Control
    | ControlExtension
    | ControlProtection
    | DataCompression
    | DeviceConfiguration
    | DeviceConfigurationExtension
    | MediumPartition
    | MediumConfiguration
    | IbmVendor
    | IbmEncryption
)

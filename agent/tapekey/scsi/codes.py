"""Numbers that more than one SCSI module needs: operation codes, status bytes, security protocols, device types."""

from tapekey.wire.codes import Code


class Opcode(Code):
    """Operation codes of tape drives (SPC, SSC). Media changers give some of these numbers another meaning."""

    # fmt: off
    TEST_UNIT_READY              = 0x00
    REWIND                       = 0x01
    REQUEST_SENSE                = 0x03
    FORMAT_MEDIUM                = 0x04
    READ_BLOCK_LIMITS            = 0x05
    READ_6                       = 0x08
    WRITE_6                      = 0x0A
    SET_CAPACITY                 = 0x0B
    WRITE_FILEMARKS_6            = 0x10
    SPACE_6                      = 0x11
    INQUIRY                      = 0x12
    VERIFY_6                     = 0x13
    MODE_SELECT_6                = 0x15
    RESERVE_6                    = 0x16
    RELEASE_6                    = 0x17
    ERASE_6                      = 0x19
    MODE_SENSE_6                 = 0x1A
    LOAD_UNLOAD                  = 0x1B
    RECEIVE_DIAGNOSTIC           = 0x1C
    SEND_DIAGNOSTIC              = 0x1D
    PREVENT_ALLOW_MEDIUM_REMOVAL = 0x1E
    LOCATE_10                    = 0x2B
    READ_POSITION                = 0x34
    WRITE_BUFFER                 = 0x3B
    READ_BUFFER                  = 0x3C
    REPORT_DENSITY_SUPPORT       = 0x44
    LOG_SELECT                   = 0x4C
    LOG_SENSE                    = 0x4D
    MODE_SELECT_10               = 0x55
    RESERVE_10                   = 0x56
    RELEASE_10                   = 0x57
    MODE_SENSE_10                = 0x5A
    PERSISTENT_RESERVE_IN        = 0x5E
    PERSISTENT_RESERVE_OUT       = 0x5F
    WRITE_FILEMARKS_16           = 0x80
    ALLOW_OVERWRITE              = 0x82
    READ_ATTRIBUTE               = 0x8C
    WRITE_ATTRIBUTE              = 0x8D
    SPACE_16                     = 0x91
    LOCATE_16                    = 0x92
    REPORT_LUNS                  = 0xA0
    SECURITY_PROTOCOL_IN         = 0xA2
    MAINTENANCE_IN               = 0xA3
    MAINTENANCE_OUT              = 0xA4
    SECURITY_PROTOCOL_OUT        = 0xB5
    # fmt: on


class Status(Code):
    """Status byte of a command (SAM)."""

    GOOD = 0x00
    CHECK_CONDITION = 0x02
    CONDITION_MET = 0x04
    BUSY = 0x08
    RESERVATION_CONFLICT = 0x18
    TASK_SET_FULL = 0x28
    ACA_ACTIVE = 0x30
    TASK_ABORTED = 0x40


class SecurityProtocol(Code):
    """SECURITY PROTOCOL field of SPIN and SPOUT (SPC-5)."""

    INFORMATION = 0x00
    CBCS = 0x07
    TAPE_DATA_ENCRYPTION = 0x20
    DATA_ENCRYPTION_CONFIGURATION = 0x21  # automation port only (ADC-3)
    SA_CREATION_CAPABILITIES = 0x40
    IKEV2_SCSI = 0x41
    UFS = 0xEC
    TRUSTED_FLASH = 0xED
    IEEE_1667 = 0xEE
    ATA_PASSWORD = 0xEF


class DeviceType(Code):
    """PERIPHERAL DEVICE TYPE of standard INQUIRY data."""

    DISK = 0x00
    TAPE = 0x01
    CHANGER = 0x08
    NONE = 0x1F

"""Every key of RFC 7143, clause 13: its form, its legal range, how two offers make one result, when it may be sent."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, Flag, auto
from typing import Final


class Form(Enum):
    """What a value looks like (6.1)."""

    LIST = "list of values"
    BOOLEAN = "Yes or No"
    NUMBER = "number"
    TEXT = "text"


class Result(Enum):
    """How two offers make one value (6.2)."""

    FIRST = "first of the originator's that the responder has"
    AND = "and"
    OR = "or"
    MIN = "least"
    MAX = "greatest"
    DECLARED = "each says its own"


class Use(Flag):
    """When a key may be sent."""

    SECURITY = auto()
    OPERATIONAL = auto()
    FULL_FEATURE = auto()
    LOGIN = SECURITY | OPERATIONAL
    ALWAYS = OPERATIONAL | FULL_FEATURE
    ANY = SECURITY | OPERATIONAL | FULL_FEATURE


class Sender(Flag):
    """Who may send it first."""

    INITIATOR = auto()
    TARGET = auto()
    EITHER = INITIATOR | TARGET


@dataclass(frozen=True, slots=True)
class Key:
    """One row of clause 13."""

    name: str
    form: Form
    result: Result
    low: int
    high: int
    default: str
    use: Use
    sender: Sender
    discovery: bool  # whether it means anything in a discovery session


L, B, N, T = Form.LIST, Form.BOOLEAN, Form.NUMBER, Form.TEXT
SEC, OPER, FULL, LOGIN, ALWAYS, ANY = Use.SECURITY, Use.OPERATIONAL, Use.FULL_FEATURE, Use.LOGIN, Use.ALWAYS, Use.ANY
INI, TGT, BOTH = Sender.INITIATOR, Sender.TARGET, Sender.EITHER
LONGEST: Final = 2**24 - 1

# fmt: off
ROWS: Final = (
    #   name                        form result        low high     default    use     sender discovery clause
    Key("AuthMethod",               L, Result.FIRST,    0, 0,       "None",    SEC,    BOTH,  True),   # 12.1
    Key("HeaderDigest",             L, Result.FIRST,    0, 0,       "None",    OPER,   BOTH,  True),   # 13.1
    Key("DataDigest",               L, Result.FIRST,    0, 0,       "None",    OPER,   BOTH,  True),   # 13.1
    Key("MaxConnections",           N, Result.MIN,      1, 65535,   "1",       OPER,   BOTH,  False),  # 13.2
    Key("SendTargets",              T, Result.DECLARED, 0, 255,     "",        FULL,   INI,   True),   # 13.3
    Key("TargetName",               T, Result.DECLARED, 1, 223,     "",        LOGIN,  INI,   True),   # 13.4
    Key("InitiatorName",            T, Result.DECLARED, 1, 223,     "",        LOGIN,  INI,   True),   # 13.5
    Key("TargetAlias",              T, Result.DECLARED, 0, 255,     "",        ANY,    TGT,   True),   # 13.6
    Key("InitiatorAlias",           T, Result.DECLARED, 0, 255,     "",        ANY,    INI,   True),   # 13.7
    Key("TargetAddress",            T, Result.DECLARED, 0, 255,     "",        ANY,    TGT,   True),   # 13.8
    Key("TargetPortalGroupTag",     N, Result.DECLARED, 0, 65535,   "",        LOGIN,  TGT,   True),   # 13.9
    Key("InitialR2T",               B, Result.OR,       0, 0,       "Yes",     OPER,   BOTH,  False),  # 13.10
    Key("ImmediateData",            B, Result.AND,      0, 0,       "Yes",     OPER,   BOTH,  False),  # 13.11
    Key("MaxRecvDataSegmentLength", N, Result.DECLARED, 512, LONGEST, "8192",  ALWAYS, BOTH,  True),   # 13.12
    Key("MaxBurstLength",           N, Result.MIN,      512, LONGEST, "262144", OPER,  BOTH,  False),  # 13.13
    Key("FirstBurstLength",         N, Result.MIN,      512, LONGEST, "65536", OPER,   BOTH,  False),  # 13.14
    Key("DefaultTime2Wait",         N, Result.MAX,      0, 3600,    "2",       OPER,   BOTH,  True),   # 13.15
    Key("DefaultTime2Retain",       N, Result.MIN,      0, 3600,    "20",      OPER,   BOTH,  True),   # 13.16
    Key("MaxOutstandingR2T",        N, Result.MIN,      1, 65535,   "1",       OPER,   BOTH,  False),  # 13.17
    Key("DataPDUInOrder",           B, Result.OR,       0, 0,       "Yes",     OPER,   BOTH,  False),  # 13.18
    Key("DataSequenceInOrder",      B, Result.OR,       0, 0,       "Yes",     OPER,   BOTH,  False),  # 13.19
    Key("ErrorRecoveryLevel",       N, Result.MIN,      0, 2,       "0",       OPER,   BOTH,  True),   # 13.20
    Key("SessionType",              T, Result.DECLARED, 1, 9,       "Normal",  LOGIN,  INI,   True),   # 13.21
    Key("TaskReporting",            L, Result.FIRST,    0, 0,       "RFC3720", OPER,   BOTH,  False),  # 13.23
    Key("X#NodeArchitecture",       T, Result.DECLARED, 0, 255,     "",        ANY,    BOTH,  True),   # 13.24
    Key("iSCSIProtocolLevel",       N, Result.MIN,      0, 31,      "1",       OPER,   BOTH,  False),  # RFC 7144, 7.1.1
)
# fmt: on

KEYS: Final[Mapping[str, Key]] = {key.name: key for key in ROWS}

# Keys that RFC 7143, 13.25 takes back; "NotUnderstood" is forbidden for them.
OBSOLETE: Final[Mapping[str, str]] = {"IFMarker": "No", "OFMarker": "No", "IFMarkInt": "Reject", "OFMarkInt": "Reject"}

# Keys of an authentication method are not negotiated: they are steps of its own exchange (12.1).
CHAP: Final = frozenset({"CHAP_A", "CHAP_N", "CHAP_R", "CHAP_I", "CHAP_C"})

"""Negotiating operational keys: a responder's answer to an offer, an originator's reading of an answer (RFC 7143, 6.2).

Both sides work from the rows of `keys` and from what they themselves would like (`ours`, as text). What holds in the
end is `Agreed`. An answer that the rules forbid raises `Malformed`; an offer that they forbid gets `Reject`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from tapekey.errors import Malformed
from tapekey.iscsi import text
from tapekey.iscsi.config import Offer
from tapekey.iscsi.keys import KEYS, OBSOLETE, Form, Key, Result

REJECT: Final = "Reject"
IRRELEVANT: Final = "Irrelevant"
NOT_UNDERSTOOD: Final = "NotUnderstood"
RESERVED: Final = frozenset({REJECT, IRRELEVANT, NOT_UNDERSTOOD})
SAYS: Final = {True: "Yes", False: "No"}
OUR_LEVEL: Final = "1"  # iSCSIProtocolLevel of RFC 7143 (RFC 7144, 7.1.1)

Values = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Agreed:
    """What holds. `max_send` is the peer's MaxRecvDataSegmentLength, `max_recv` the one that was declared to it."""

    header_digest: bool = False
    data_digest: bool = False
    initial_r2t: bool = True
    immediate_data: bool = True
    max_send: int = 8192
    max_recv: int = 8192
    max_burst: int = 262144
    first_burst: int = 65536
    time_to_wait: int = 2
    time_to_retain: int = 20


def ours(offer: Offer) -> Values:
    """Our side of every key that is negotiated or declared in the operational stage, as it would be sent."""
    return {
        "HeaderDigest": ",".join(offer.header_digests),
        "DataDigest": ",".join(offer.data_digests),
        "MaxConnections": "1",
        "InitialR2T": SAYS[offer.initial_r2t],
        "ImmediateData": SAYS[offer.immediate_data],
        "MaxRecvDataSegmentLength": str(offer.max_recv_segment),
        "MaxBurstLength": str(offer.max_burst),
        "FirstBurstLength": str(offer.first_burst),
        "DefaultTime2Wait": str(offer.time_to_wait),
        "DefaultTime2Retain": str(offer.time_to_retain),
        "MaxOutstandingR2T": "1",
        "DataPDUInOrder": "Yes",
        "DataSequenceInOrder": "Yes",
        "ErrorRecoveryLevel": "0",
        "TaskReporting": "RFC3720",
        "iSCSIProtocolLevel": OUR_LEVEL,
    }


def legal(key: Key, value: str) -> bool:
    """Whether a value has the key's form and lies in its range."""
    if key.form is Form.BOOLEAN:
        return value in ("Yes", "No")
    if key.form is Form.NUMBER:
        number = text.number(value)
        return number is not None and key.low <= number <= key.high
    if key.form is Form.TEXT:
        return key.low <= len(value.encode()) <= key.high
    return all(0 < len(item) <= 63 for item in value.split(","))


def _first(offered: str, mine: str) -> str:
    have = mine.split(",")
    return next((item for item in offered.split(",") if item in have), REJECT)


def _number(choose: Callable[[int, int], int]) -> Callable[[str, str], str]:
    return lambda offered, mine: str(choose(text.number(offered) or 0, int(mine)))


RESULTS: Final[Mapping[Result, Callable[[str, str], str]]] = {
    Result.FIRST: _first,
    Result.AND: lambda offered, mine: SAYS[offered == mine == "Yes"],
    Result.OR: lambda offered, mine: SAYS["Yes" in (offered, mine)],
    Result.MIN: _number(min),
    Result.MAX: _number(max),
}


def answer(name: str, offered: str, mine: Values, *, discovery: bool) -> str | None:
    """A responder's answer to an offer, which is also the result; None for a declaration, which has no answer."""
    key = KEYS.get(name)
    if key is None:
        return OBSOLETE.get(name, NOT_UNDERSTOOD)
    if discovery and not key.discovery:
        return IRRELEVANT
    if not legal(key, offered):
        return REJECT
    return None if key.result is Result.DECLARED else RESULTS[key.result](offered, mine[name])


def settle(name: str, offered: str, answered: str) -> str | None:
    """An originator's reading of the answer to its offer; None if the key was refused, or means nothing here."""
    if answered in RESERVED:
        return None
    key = KEYS[name]
    # applying the result function once more to a right answer changes nothing; to a wrong one, it does
    right = legal(key, answered) and (
        answered in offered.split(",")
        if key.result is Result.FIRST
        else text.number(RESULTS[key.result](answered, offered)) == text.number(answered)
        if key.form is Form.NUMBER
        else RESULTS[key.result](offered, answered) == answered
    )
    if not right:
        raise Malformed(f"the peer's answer for {name} does not follow from the offer", why=f"{answered} to {offered}")
    return str(text.number(answered)) if key.form is Form.NUMBER else answered


def agreed(results: Values, max_recv: int, max_send: int) -> Agreed:
    """What holds, from the results that are not refusals, and the defaults of keys that nobody sent."""
    value = {name: results.get(name, key.default) for name, key in KEYS.items()}
    burst = int(value["MaxBurstLength"])
    return Agreed(
        header_digest=value["HeaderDigest"] == "CRC32C",
        data_digest=value["DataDigest"] == "CRC32C",
        initial_r2t=value["InitialR2T"] == "Yes",
        immediate_data=value["ImmediateData"] == "Yes",
        max_send=max_send,
        max_recv=max_recv,
        max_burst=burst,
        first_burst=min(int(value["FirstBurstLength"]), burst),  # it MUST NOT exceed the other (13.14)
        time_to_wait=int(value["DefaultTime2Wait"]),
        time_to_retain=int(value["DefaultTime2Retain"]),
    )

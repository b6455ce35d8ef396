"""What a target offers at login, and how much of it a peer may use. Values only: nothing here is read from a file."""

from dataclasses import dataclass
from typing import Final

from tapekey.iscsi import chap

KIB: Final = 1024
MIB: Final = 1024 * KIB
SHORTEST_SECRET: Final = 12
LONGEST_SEGMENT: Final = 2**24 - 1  # the most that a 24-bit length can say (RFC 7143, 13.12 to 13.14)


@dataclass(frozen=True, slots=True, repr=False)
class Credential:
    """A CHAP name and its secret, of at least 96 bits (RFC 7143, 9.2.1). No repr: no error or event can show it."""

    name: str
    secret: bytes

    def __post_init__(self) -> None:
        if not self.name or len(self.secret) < SHORTEST_SECRET:
            raise ValueError(f"a CHAP secret has a name and at least {SHORTEST_SECRET} bytes")


@dataclass(frozen=True, slots=True, repr=False)
class Chap:
    """Who may log in, and how the target proves itself when it is asked to (mutual CHAP, RFC 7143, 12.1.3).

    users   every name that may log in
    target  the target's own name and secret; None: a peer that asks for proof is refused
    """

    users: tuple[Credential, ...]
    target: Credential | None = None

    def __post_init__(self) -> None:
        if self.target is not None and any(chap.same(user.secret, self.target.secret) for user in self.users):
            raise ValueError("the target's CHAP secret is a user's too: each direction needs its own")

    def secret_of(self, name: str) -> bytes | None:
        """The secret of a user; None if there is no such user."""
        return next((user.secret for user in self.users if user.name == name), None)


@dataclass(frozen=True, slots=True)
class Offer:
    """The operational values that we offer; what holds in the end is negotiated (RFC 7143, 13)."""

    header_digests: tuple[str, ...] = ("None", "CRC32C")
    data_digests: tuple[str, ...] = ("None", "CRC32C")
    initial_r2t: bool = False
    immediate_data: bool = True
    max_recv_segment: int = MIB
    max_burst: int = LONGEST_SEGMENT
    first_burst: int = LONGEST_SEGMENT
    time_to_wait: int = 2
    time_to_retain: int = 0


@dataclass(frozen=True, slots=True)
class Config:
    """One target of one portal group.

    name          iSCSI name of the target (`iqn.…`)
    beside        other targets that discovery tells of: name and port, at the address of this one
    alias         text for people, sent at login when it is not empty
    chap          None: whoever connects may log in
    offer         operational values
    commands      commands that may be under way in a session (the command window)
    max_transfer  longest data-out of one command; a longer one ends with CHECK CONDITION 5/24/00
    memory        bytes that a session may hold for the data of its commands; beyond it they end with TASK SET FULL
    login_within  seconds from connection to full feature phase
    ping_after    seconds of silence after which the peer is asked whether it lives; 0: never
    ping_within   seconds in which it must answer
    """

    name: str
    alias: str = ""
    chap: Chap | None = None
    offer: Offer = Offer()
    commands: int = 32
    max_transfer: int = 16 * MIB
    memory: int = 64 * MIB
    login_within: float = 15.0
    ping_after: float = 30.0
    ping_within: float = 30.0
    beside: tuple[tuple[str, int], ...] = ()

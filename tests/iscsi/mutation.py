"""Valid PDUs spoilt at random, and the two roles at every stage of a session: material for `test_rubbish`."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from tapekey.iscsi import pdu, text
from tapekey.iscsi.codes import NO_TAG, LogoutReason, ManageFunction, ManageResponse, RejectReason, Stage
from tapekey.iscsi.config import KIB, Chap, Config, Credential, Offer
from tapekey.iscsi.events import Closed, Execute, LoggedIn, Manage, Send
from tapekey.iscsi.initiator import InitiatorSession
from tapekey.iscsi.initiator_login import Account
from tapekey.iscsi.request import (
    DataOut,
    LogoutRequest,
    ManageRequest,
    NopOut,
    ScsiCommand,
    Snack,
    TextRequest,
)
from tapekey.iscsi.response import (
    AsyncMessage,
    DataIn,
    LoginResponse,
    LogoutReply,
    ManageReply,
    NopIn,
    ReadyToTransfer,
    Reject,
    ScsiResponse,
    TextResponse,
)
from tapekey.iscsi.target import TargetSession
from tests.iscsi.conversation import INITIATOR, ISID, LOGIN, PORTAL, TARGET, Conversation, joined, login_request

USER, OWN = Credential("host", b"secret of a host"), Credential("library", b"secret of a library")
MEMORY: Final = 256 * KIB
BOUNDS: Final[dict[str, Any]] = {"commands": 8, "max_transfer": 64 * KIB, "memory": MEMORY}
OPEN = Config(TARGET, offer=Offer(max_recv_segment=8192), **BOUNDS)
GUARDED = Config(TARGET, offer=Offer(max_recv_segment=8192), chap=Chap((USER,), OWN), **BOUNDS)
VALUES: Final = (0, 1, 4, 0x7F, 0x80, 0xFF, 0x100, 0x1000, 0x2000, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, NO_TAG)
EXPECTED_COMMAND: Final = slice(28, 32)  # of every header of a target's; so is StatSN at 24
NUMBER: Final = slice(24, 28)  # CmdSN of a request


def bytes_of(header: Any, data: bytes = b"", additional: bytes = b"", digests: bool = False) -> bytes:
    return joined(pdu.parts(header, data, additional=additional, digests=(digests, digests)))


def recorded(config: Config, account: Account) -> bytes:
    """What an initiator sent in a login."""
    return Conversation(config, account).begin().to_target


def split(stream: bytes) -> list[bytes]:
    """A stream without digests, cut into PDUs."""
    found = []
    while stream:
        length = 48 + 4 * stream[4] + (int.from_bytes(stream[5:8], "big") + 3 & ~3)
        found.append(stream[:length])
        stream = stream[length:]
    return found


DISCOVERY = login_request({"InitiatorName": INITIATOR, "SessionType": "Discovery"})
PLAIN = login_request(LOGIN | {"InitialR2T": "No", "MaxBurstLength": "4096", "FirstBurstLength": "2048"})
CHECKED = login_request(LOGIN | {"InitialR2T": "No", "HeaderDigest": "CRC32C", "DataDigest": "CRC32C"})
NAMES = split(recorded(OPEN, Account(INITIATOR, TARGET, ISID)))
PROOFS = split(recorded(GUARDED, Account(INITIATOR, TARGET, ISID, user=USER, mutual=OWN)))
LOGINS = [
    PLAIN,
    DISCOVERY,
    CHECKED,
    *NAMES,
    *PROOFS,
    login_request(LOGIN, current=Stage.SECURITY, transit=False, next=Stage.SECURITY),
    login_request(LOGIN, more=True, transit=False, next=Stage.SECURITY),
    login_request({f"X-{number}": "1" for number in range(100)}, transit=False, next=Stage.SECURITY),
]

WRITE = b"\x0a".ljust(16, b"\0")
COMMANDS = [
    bytes_of(ScsiCommand(tag=1, read=True, expected_length=4096, cdb=b"\x08" + bytes(15))),
    bytes_of(ScsiCommand(tag=2, write=True, expected_length=512, cdb=WRITE), bytes(512)),
    bytes_of(ScsiCommand(tag=3, write=True, final=False, expected_length=3000, cdb=WRITE), bytes(100)),
    bytes_of(ScsiCommand(tag=4, write=True, expected_length=9000, lun=b"\0\1" + bytes(6), cdb=WRITE)),
    bytes_of(ScsiCommand(tag=5, immediate=True)),
    bytes_of(ScsiCommand(tag=2, immediate=True, write=True, expected_length=52, cdb=b"\xb5" + bytes(15)), bytes(52)),
    bytes_of(ScsiCommand(tag=2, immediate=True, cdb=b"\xb5" + bytes(15))),
    bytes_of(
        ScsiCommand(tag=6, read=True, write=True, expected_length=8, cdb=b"\x7f" + bytes(15)),
        bytes(8),
        pdu.extended_cdb(bytes(32)) + pdu.bidirectional_length(100),
    ),
]
DATA = [
    *[bytes_of(DataOut(tag=tag, transfer_tag=NO_TAG, offset=100), bytes(1000)) for tag in (2, 3, 4)],
    *[bytes_of(DataOut(tag=4, transfer_tag=tag), bytes(4096)) for tag in (1, 2, 3)],
    bytes_of(DataOut(tag=3, transfer_tag=NO_TAG, offset=1100, data_number=1), b""),
]
OTHERS = [
    *[bytes_of(ManageRequest(immediate=True, tag=20, function=ManageFunction(code))) for code in range(10)],
    *[
        bytes_of(ManageRequest(immediate=True, tag=21, function=ManageFunction(1), referenced_tag=tag))
        for tag in (1, 4)
    ],
    bytes_of(NopOut(tag=30), b"ping"),
    bytes_of(NopOut(tag=NO_TAG, immediate=True, transfer_tag=1)),
    bytes_of(TextRequest(tag=31), b"SendTargets=All\0"),
    bytes_of(TextRequest(tag=31), b"MaxRecvDataSegmentLength=512\0SendTargets=\0"),
    bytes_of(TextRequest(tag=31, final=False, more=True), b"X-a=1\0" * 50),
    bytes_of(TextRequest(tag=31, transfer_tag=1)),
    bytes_of(LogoutRequest(tag=32, reason=LogoutReason.REMOVE_FOR_RECOVERY, connection=1)),
    bytes_of(LogoutRequest(tag=32, reason=LogoutReason.CLOSE_CONNECTION, connection=2)),
    bytes_of(Snack(tag=33)),
]
REQUESTS = [*COMMANDS * 4, *DATA, *OTHERS]
RESPONSES = [
    bytes_of(DataIn(tag=1, final=True, with_status=True), bytes(512)),
    bytes_of(DataIn(tag=1, final=True), bytes(512)),
    bytes_of(DataIn(tag=1, offset=512, data_number=1), bytes(512)),
    bytes_of(ScsiResponse(tag=1)),
    bytes_of(ScsiResponse(tag=2, status=2), b"\0\x12" + bytes(18)),
    bytes_of(ReadyToTransfer(tag=2, transfer_tag=1, desired=1024)),
    bytes_of(ReadyToTransfer(tag=2, transfer_tag=2, offset=1024, desired=1024)),
    bytes_of(ManageReply(tag=3, response=ManageResponse.COMPLETE)),
    bytes_of(NopIn(tag=4), b"ping"),
    bytes_of(NopIn(transfer_tag=7), b"ping"),
    bytes_of(TextResponse(tag=5), b"TargetName=iqn.a\0TargetAddress=a:1,1\0"),
    bytes_of(TextResponse(tag=5, final=False, more=True, transfer_tag=9), b"TargetName=iqn.a\0"),
    bytes_of(LogoutReply(tag=6)),
    bytes_of(Reject(reason=RejectReason.PROTOCOL_ERROR), bytes(48)),
    bytes_of(AsyncMessage()),
    bytes_of(LoginResponse(transit=True, current=Stage.OPERATIONAL, next=Stage.FULL_FEATURE)),
]


def spoilt(image: bytes, chance: random.Random) -> bytes:
    """A PDU with one to three things wrong; where its end lies may be one of them."""
    spoil = bytearray(image)
    for _ in range(chance.choice((1, 1, 2, 3))):
        MUTATIONS[chance.randrange(len(MUTATIONS))](spoil, chance)
    return bytes(spoil) if chance.random() < 0.15 else _framed(spoil)


def _framed(image: bytearray) -> bytes:
    """With lengths that are right, so that what comes after it is read as it was meant."""
    image += bytes(max(0, 48 - len(image)))
    additional = 4 * image[4] if 48 + 4 * image[4] <= len(image) else 0
    length = len(image) - 48 - additional
    image[4:8] = (additional // 4 << 24 | length).to_bytes(4, "big")
    return bytes(image) + bytes(-length % 4)


def _flip(image: bytearray, chance: random.Random) -> None:
    if image:
        image[chance.randrange(len(image))] ^= 1 << chance.randrange(8)


def _flip_header(image: bytearray, chance: random.Random) -> None:
    place = chance.randrange(48)
    if place < len(image):
        image[place] ^= 1 << chance.randrange(8)


def _field(image: bytearray, chance: random.Random) -> None:
    place = chance.choice((8, 12, 16, 20, 24, 28, 32, 36, 40, 44))
    image[place : place + 4] = chance.choice(VALUES).to_bytes(4, "big")


def _opcode(image: bytearray, chance: random.Random) -> None:
    image[0:1] = bytes([chance.randrange(256)])


def _flags(image: bytearray, chance: random.Random) -> None:
    image[1:2] = bytes([chance.randrange(256)])


def _length(image: bytearray, chance: random.Random) -> None:
    image[4:8] = (chance.choice((0, 0, 0, 1, 8, 255)) << 24 | chance.choice(VALUES[:10])).to_bytes(4, "big")


def _cut(image: bytearray, chance: random.Random) -> None:
    del image[chance.randrange(len(image) + 1) :]


def _grow(image: bytearray, chance: random.Random) -> None:
    image += chance.randbytes(chance.randrange(1, 64))


def _noise(image: bytearray, chance: random.Random) -> None:
    image[:] = chance.randbytes(48)
    image[4:8] = chance.randrange(512).to_bytes(4, "big")


MUTATIONS: Final[tuple[Callable[[bytearray, random.Random], None], ...]] = (
    _flip,
    _flip_header,
    _flip_header,
    _field,
    _field,
    _opcode,
    _flags,
    _length,
    _cut,
    _grow,
    _noise,
)


@dataclass
class Tally:
    """What became of what was played."""

    pdus: int = 0
    sessions: int = 0
    closed: int = 0
    executed: int = 0
    managed: int = 0
    replies: int = 0
    logins: int = 0
    reports: dict[str, int] = field(default_factory=dict)


def checked(parts: list[Any], opcodes: frozenset[int]) -> bytes:
    """The header of what is sent, which must be a PDU of the role."""
    head = bytes(parts[0][:48])
    assert head[0] & 0x3F in opcodes, head
    assert len(head) == 48, head
    return head


OF_A_TARGET = frozenset(int(code) for code in pdu.RESPONSES)
OF_AN_INITIATOR = frozenset(int(code) for code in pdu.REQUESTS)
START: Final[tuple[tuple[Config, list[bytes], bool], ...]] = (
    (OPEN, [], False),
    (GUARDED, [], False),
    (GUARDED, PROOFS[:1], False),
    (GUARDED, PROOFS[:2], False),
    (OPEN, NAMES[:1], False),
    *[(OPEN, [PLAIN], False)] * 6,
    (OPEN, [CHECKED], True),
    (OPEN, [DISCOVERY], False),
)


class TargetGame:
    """One target's session played with: right requests first, up to a stage, then spoilt ones."""

    def __init__(self, chance: random.Random, tally: Tally) -> None:
        self._chance = chance
        self._tally = tally
        config, prefix, self._digests = chance.choice(START)
        self._expected = 1
        self._owed: list[Execute | Manage] = []
        self.open = True
        self._session = TargetSession(config, portal=PORTAL, tsih=7, now=0.0, randomness=chance.randbytes)
        self._material = REQUESTS if self._digests or prefix[:1] in ([PLAIN], [DISCOVERY]) else LOGINS
        for image in prefix:
            self._feed(image)

    def play(self, rounds: int) -> None:
        """Feed so many PDUs, unless the session ends before."""
        chance = self._chance
        for _ in range(rounds):
            image = chance.choice(self._material if chance.random() < 0.99 else LOGINS)
            if self._material is REQUESTS and image[0] & 0x40 == 0 and chance.random() < 0.9:
                image = image[:24] + self._expected.to_bytes(4, "big") + image[28:]
            if chance.random() < 0.7:
                image = spoilt(image, chance)
            if self._digests and chance.random() < 0.9 and len(image) >= 48:
                image = joined(pdu.framed(image[:48], image[48 : 48 + int.from_bytes(image[5:8], "big")], (True, True)))
                if chance.random() < 0.1:
                    image = image[:-1] + bytes([image[-1] ^ 1])
            self._tally.pdus += 1
            self._feed(image)
            if not self.open:
                return
            if chance.random() < 0.5:
                self._settle()
        self._act(self._session.wake(chance.random() * 100))

    def _feed(self, image: bytes) -> None:
        session, rest = self._session, memoryview(image)
        while rest and self.open:
            wants = session.wants()
            size = min(len(wants), len(rest))
            wants[:size] = rest[:size]
            rest = rest[size:]
            self._act(session.took(size))

    def _act(self, events: list[Any]) -> None:
        for event in events:
            match event:
                case Send(parts):
                    self._heed(parts)
                case Execute(_, lun, cdb, data_out, _, into):
                    assert lun is None or 0 <= lun < 1 << 14
                    assert 6 <= len(cdb) <= 260 + 1020
                    assert len(data_out) <= OPEN.max_transfer
                    assert len(into) <= MEMORY
                    self._tally.executed += 1
                    self._owed.append(event)
                case Manage():
                    self._tally.managed += 1
                    self._owed.append(event)
                case LoggedIn():
                    self._tally.logins += 1
                case Closed():
                    self._tally.closed += 1
                    self.open = False
                    assert event is events[-1]
                    assert not self._session.wants()

    def _heed(self, parts: list[Any]) -> None:
        self._expected = int.from_bytes(checked(parts, OF_A_TARGET)[EXPECTED_COMMAND], "big")
        self._tally.replies += 1

    def _settle(self) -> None:
        """Answer some of what is owed, in any order."""
        chance = self._chance
        while self._owed and chance.random() < 0.8:
            event = self._owed.pop(chance.randrange(len(self._owed)))
            if isinstance(event, Manage):
                parts = self._session.managed(event.tag, ManageResponse.COMPLETE)
            else:
                data = chance.choice((b"", bytes(chance.randrange(5000)), event.into))
                status = chance.choice((0, 0, 2, 8))
                parts = self._session.answer(event.tag, status, data, bytes(18) if status == 2 else b"")
            if parts:
                self._heed(parts)


class InitiatorGame:
    """The same with an initiator's session, whose target goes mad."""

    def __init__(self, chance: random.Random, tally: Tally) -> None:
        self._chance = chance
        self._tally = tally
        guarded = chance.random() < 0.3
        config = GUARDED if guarded else OPEN
        user = USER if guarded else None
        offer = Offer(header_digests=("None",), data_digests=("None",), max_recv_segment=8192)
        account = Account(INITIATOR, TARGET, ISID, user=user, offer=offer)
        talk = Conversation(config, account)
        forth, talk.initiator = talk.initiator.start(), talk.initiator
        self._session = talk.initiator
        self.open = True
        self._material = LOGIN_RESPONSES
        stages = chance.randrange(5)
        for _ in range(stages if chance.random() < 0.3 else 5):
            back = [event for event in self._told(talk.target, joined(forth)) if isinstance(event, Send)]
            forth = [part for event in back for part in self._feed(joined(event.parts))]
            if not forth:
                self._material = RESPONSES
                break
        if self._material is RESPONSES:
            self._ask(self._session)

    @staticmethod
    def _told(target: TargetSession, stream: bytes) -> list[Any]:
        found: list[Any] = []
        rest = memoryview(stream)
        while rest and target.wants():
            wants = target.wants()
            size = min(len(wants), len(rest))
            wants[:size] = rest[:size]
            rest = rest[size:]
            found += target.took(size)
        return found

    @staticmethod
    def _ask(session: InitiatorSession) -> None:
        session.command(0, b"\x08" + bytes(5), data_in_max=1024)
        session.command(0, b"\x0a" + bytes(5), data_out=bytes(2048))
        session.manage(ManageFunction.ABORT_TASK)
        session.ping(b"ping")
        session.say([("SendTargets", "")])
        session.log_out()

    def play(self, rounds: int) -> None:
        chance = self._chance
        for _ in range(rounds):
            image = chance.choice(self._material)
            if chance.random() < 0.7:
                image = spoilt(image, chance)
            self._tally.pdus += 1
            self._feed(image)
            if not self.open:
                return

    def _feed(self, image: bytes) -> list[Any]:
        session, rest, sent = self._session, memoryview(image), []
        while rest and self.open:
            wants = session.wants()
            size = min(len(wants), len(rest))
            wants[:size] = rest[:size]
            rest = rest[size:]
            for report in session.took(size):
                name = type(report).__name__
                self._tally.reports[name] = self._tally.reports.get(name, 0) + 1
                if isinstance(report, Send):
                    checked(report.parts, OF_AN_INITIATOR)
                    sent += report.parts
                elif isinstance(report, Closed):
                    self.open = False
        return sent


LOGIN_RESPONSES = [
    bytes_of(LoginResponse(transit=True, next=Stage.OPERATIONAL, tag=0), b"AuthMethod=None\0"),
    bytes_of(LoginResponse(tag=0), b"AuthMethod=CHAP\0"),
    bytes_of(LoginResponse(tag=0), b"CHAP_A=5\0CHAP_I=1\0CHAP_C=0x00112233\0"),
    bytes_of(LoginResponse(more=True), b"TargetAlias="),
    bytes_of(
        LoginResponse(transit=True, current=Stage.OPERATIONAL, next=Stage.FULL_FEATURE),
        text.image([("MaxRecvDataSegmentLength", "8192"), ("InitialR2T", "No"), ("MaxBurstLength", "4096")]),
    ),
]

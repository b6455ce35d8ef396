"""An initiator's login: one request at a time, each the answer to a response (RFC 7143, 6.3, 12.1.3).

A target that is to prove itself and does not, that picks what was not offered, or that leads in circles is refused with
`Malformed`. CHAP is offered alone when there is a secret: a target cannot talk us into logging in without.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from typing import Final

from tapekey.errors import Malformed
from tapekey.iscsi import chap, negotiation, text
from tapekey.iscsi.codes import LoginStatus, Stage
from tapekey.iscsi.config import Credential, Offer
from tapekey.iscsi.negotiation import Agreed
from tapekey.iscsi.request import LoginRequest
from tapekey.iscsi.response import LoginResponse
from tapekey.iscsi.text import Pair

MOST_RESPONSES: Final = 64


@dataclass(frozen=True, slots=True)
class Account:
    """Who logs in where. `target` None: a discovery session; `mutual`: what the target must prove it knows."""

    initiator: str
    target: str | None
    isid: bytes = bytes.fromhex("800000000001")
    user: Credential | None = None
    mutual: Credential | None = None
    offer: Offer = field(default_factory=Offer)


class Step(Enum):
    """What the initiator has sent last."""

    NAMES = auto()  # without a method, on the way to the operational stage
    METHOD = auto()
    ALGORITHMS = auto()
    PROOF = auto()
    VALUES = auto()
    DONE = auto()


# By the last step, and by whether the response let us leave the stage.
# fmt: off
NEXT: Final[Mapping[tuple[Step, bool], Step]] = {
    (Step.NAMES,      True):  Step.VALUES,
    (Step.METHOD,     False): Step.ALGORITHMS,
    (Step.ALGORITHMS, False): Step.PROOF,
    (Step.PROOF,      True):  Step.VALUES,
    (Step.VALUES,     False): Step.VALUES,
    (Step.VALUES,     True):  Step.DONE,
}
# fmt: on


class InitiatorLogin:
    """Made of an account; `first()`, then `receive` until `step` is DONE."""

    def __init__(self, account: Account, randomness: Callable[[int], bytes]) -> None:
        self._account = account
        self._randomness = randomness
        self._offered = dict(negotiation.ours(account.offer))
        self._identifier = 0
        self._challenge = b""
        self._algorithm = chap.Algorithm.MD5
        self._results: dict[str, str] = {}
        self._max_send = 8192
        self._text = b""
        self._said = False  # our values
        self._responses = 0
        self._request = LoginRequest(isid=account.isid, tag=0, connection=1)
        self.step = Step.METHOD if account.user else Step.NAMES
        self.tsih = 0

    @property
    def agreed(self) -> Agreed:
        """What was negotiated."""
        return negotiation.agreed(self._results, self._account.offer.max_recv_segment, self._max_send)

    def first(self) -> tuple[LoginRequest, bytes]:
        """The first request."""
        account = self._account
        names = [("InitiatorName", account.initiator), ("SessionType", "Normal" if account.target else "Discovery")]
        if account.target:
            names.append(("TargetName", account.target))
        if account.user:
            return self._ask(Stage.SECURITY, None), text.image([*names, ("AuthMethod", "CHAP")])
        return self._ask(Stage.SECURITY, Stage.OPERATIONAL), text.image([*names, ("AuthMethod", "None")])

    def receive(self, response: LoginResponse, data: bytes) -> tuple[LoginRequest, bytes] | None:
        """The next request; None when the login is done."""
        self._responses += 1
        if response.status is not LoginStatus.SUCCESS:
            raise Malformed("the target refused the login", why=f"status {response.status:04x}h")
        if self._responses > MOST_RESPONSES or len(self._text) + len(data) > text.LONGEST:
            raise Malformed("the login does not end")
        self._text += data
        if response.more:
            return replace(self._request, transit=False), b""
        found, self._text = dict(text.pairs(self._text)), b""
        following = NEXT.get((self.step, response.transit))
        if following is None or (response.transit and response.next is not self._request.next):
            raise Malformed("the target's login does not follow the stages", why=self.step.name.lower())
        self._READ[self.step](self, found)
        self.step = following
        self.tsih = response.tsih
        return None if following is Step.DONE else self._SAY[following](self, found)

    def _ask(self, current: Stage, following: Stage | None) -> LoginRequest:
        self._request = replace(
            self._request, transit=following is not None, current=current, next=following or Stage.SECURITY
        )
        return self._request

    # --- what came back --------------------------------------------------------------------------------------

    def _read_nothing(self, found: Mapping[str, str]) -> None:
        if found.get("AuthMethod", "None") != "None":
            raise Malformed("the target picked a method that was not offered")

    def _read_method(self, found: Mapping[str, str]) -> None:
        if found.get("AuthMethod") != "CHAP":
            raise Malformed("the target does not want CHAP")

    def _read_challenge(self, found: Mapping[str, str]) -> None:
        algorithm = found.get("CHAP_A", "")
        identifier, challenge = text.number(found.get("CHAP_I", "")), text.binary(found.get("CHAP_C", ""))
        chosen = chap.choose(algorithm)
        if chosen is None or identifier is None or identifier > 255 or not challenge:
            raise Malformed("the target's challenge is not one")
        self._algorithm, self._identifier, self._challenge = chosen, identifier, challenge

    def _read_proof(self, found: Mapping[str, str]) -> None:
        mutual = self._account.mutual
        if mutual is None:
            return
        response = text.binary(found.get("CHAP_R", "")) or b""
        proven = chap.proves(response, self._algorithm, self._identifier, mutual.secret, self._challenge)
        if not proven or found.get("CHAP_N") != mutual.name:
            raise Malformed("the target did not prove who it is")

    def _read_values(self, found: Mapping[str, str]) -> None:
        for name, value in found.items():
            if name == "MaxRecvDataSegmentLength":
                self._max_send = self._length(value)
            elif name in self._offered:
                result = negotiation.settle(name, self._offered[name], value)
                self._results |= {name: result} if result is not None else {}

    def _length(self, value: str) -> int:
        number = text.number(value)
        if number is None or not 512 <= number <= 2**24 - 1:
            raise Malformed("the target declares an impossible segment length")
        return number

    # --- what to say next ------------------------------------------------------------------------------------

    def _say_algorithms(self, found: Mapping[str, str]) -> tuple[LoginRequest, bytes]:
        return self._ask(Stage.SECURITY, None), text.image([("CHAP_A", chap.OFFER)])

    def _say_proof(self, found: Mapping[str, str]) -> tuple[LoginRequest, bytes]:
        user = self._account.user
        assert user is not None
        response = chap.respond(self._algorithm, self._identifier, user.secret, self._challenge)
        said = [("CHAP_N", user.name), ("CHAP_R", text.of_binary(response))]
        if self._account.mutual is not None:
            self._identifier = self._randomness(1)[0]
            self._challenge = self._randomness(chap.CHALLENGE)
            said += [("CHAP_I", str(self._identifier)), ("CHAP_C", text.of_binary(self._challenge))]
        return self._ask(Stage.SECURITY, Stage.OPERATIONAL), text.image(said)

    def _say_values(self, found: Mapping[str, str]) -> tuple[LoginRequest, bytes]:
        request = self._ask(Stage.OPERATIONAL, Stage.FULL_FEATURE)
        said, self._said = self._said, True
        return request, b"" if said else text.image(self._values())

    def _values(self) -> list[Pair]:
        names = ("HeaderDigest", "DataDigest", "MaxRecvDataSegmentLength", "DefaultTime2Wait", "DefaultTime2Retain")
        if self._account.target is None:
            self._offered = {name: self._offered[name] for name in (*names, "ErrorRecoveryLevel")}
        return list(self._offered.items())

    _READ: Final[Mapping[Step, Callable[["InitiatorLogin", Mapping[str, str]], None]]] = {
        Step.NAMES: _read_nothing,
        Step.METHOD: _read_method,
        Step.ALGORITHMS: _read_challenge,
        Step.PROOF: _read_proof,
        Step.VALUES: _read_values,
    }
    _SAY: Final[Mapping[Step, Callable[["InitiatorLogin", Mapping[str, str]], tuple[LoginRequest, bytes]]]] = {
        Step.ALGORITHMS: _say_algorithms,
        Step.PROOF: _say_proof,
        Step.VALUES: _say_values,
    }

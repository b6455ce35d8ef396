"""The target's part of CHAP: which keys may come at which step, and what answers them (RFC 7143, 12.1.3).

The steps are a table; keys that a step does not have end the login. Time does not tell a wrong name from a wrong
secret.
"""

from collections.abc import Callable, Mapping
from enum import Enum
from typing import Final

from tapekey.errors import Malformed
from tapekey.iscsi import chap, text
from tapekey.iscsi.config import Chap
from tapekey.iscsi.text import Pair

Randomness = Callable[[int], bytes]


class Step(Enum):
    """Where the proof stands."""

    UNASKED = "no method chosen"
    CHOSEN = "CHAP chosen"
    CHALLENGED = "challenge sent"
    PROVEN = "proven"


# fmt: off
NEXT: Final[Mapping[tuple[Step, frozenset[str]], Step]] = {
    (Step.UNASKED,    frozenset({"AuthMethod"})):                           Step.CHOSEN,
    (Step.CHOSEN,     frozenset({"CHAP_A"})):                               Step.CHALLENGED,
    (Step.CHALLENGED, frozenset({"CHAP_N", "CHAP_R"})):                     Step.PROVEN,
    (Step.CHALLENGED, frozenset({"CHAP_N", "CHAP_R", "CHAP_I", "CHAP_C"})): Step.PROVEN,
}
# fmt: on


class Authentication:
    """One peer's proof. Every refusal is a `Malformed`, which says nothing of what was wrong but its kind."""

    def __init__(self, users: Chap, randomness: Randomness) -> None:
        self._users = users
        self._randomness = randomness
        self._algorithm = chap.Algorithm.MD5
        self._identifier = 0
        self._challenge = b""
        self.step = Step.UNASKED

    def receive(self, keys: Mapping[str, str]) -> list[Pair]:
        """The answer to the keys of one login request; none at all are a question for nothing."""
        if not keys:
            return []
        following = NEXT.get((self.step, frozenset(keys)))
        if following is None:
            raise Malformed("these keys have no place in this step of CHAP", why=self.step.value)
        answer = self._ANSWERS[following](self, keys)
        self.step = following
        return answer

    def _choose(self, keys: Mapping[str, str]) -> list[Pair]:
        if "CHAP" not in keys["AuthMethod"].split(","):
            raise Malformed("the peer does not offer CHAP")
        return [("AuthMethod", "CHAP")]

    def _challenge_peer(self, keys: Mapping[str, str]) -> list[Pair]:
        algorithm = chap.choose(keys["CHAP_A"])
        if algorithm is None:
            raise Malformed("the peer offers no CHAP algorithm that we have")
        self._algorithm = algorithm
        self._identifier = self._randomness(1)[0]
        self._challenge = self._randomness(chap.CHALLENGE)
        return [
            ("CHAP_A", str(int(algorithm))),
            ("CHAP_I", str(self._identifier)),
            ("CHAP_C", text.of_binary(self._challenge)),
        ]

    def _check(self, keys: Mapping[str, str]) -> list[Pair]:
        secret = self._users.secret_of(keys["CHAP_N"])
        compared = self._randomness(chap.CHALLENGE) if secret is None else secret
        response = text.binary(keys["CHAP_R"]) or b""
        proven = chap.proves(response, self._algorithm, self._identifier, compared, self._challenge)
        if secret is None or not proven:
            raise Malformed("the peer did not prove who it is")
        return self._prove_ourselves(keys) if "CHAP_C" in keys else []

    def _prove_ourselves(self, keys: Mapping[str, str]) -> list[Pair]:
        identifier, challenge = text.number(keys["CHAP_I"]), text.binary(keys["CHAP_C"])
        if self._users.target is None:
            raise Malformed("the peer asks for a proof that this target has no secret for")
        if identifier is None or identifier > 255 or not challenge or len(challenge) > chap.LONGEST_CHALLENGE:
            raise Malformed("the peer's challenge is not one")
        if chap.same(challenge, self._challenge):
            raise Malformed("the peer sends our own challenge back")
        response = chap.respond(self._algorithm, identifier, self._users.target.secret, challenge)
        return [("CHAP_N", self._users.target.name), ("CHAP_R", text.of_binary(response))]

    _ANSWERS: Final[Mapping[Step, Callable[["Authentication", Mapping[str, str]], list[Pair]]]] = {
        Step.CHOSEN: _choose,
        Step.CHALLENGED: _challenge_peer,
        Step.PROVEN: _check,
    }

"""The agent with a fault in it: `python -m tests.kernel.race.planted FAULT WORDS` in place of `tapekey WORDS`.

Shows in the guest itself that a guard which does not stand is seen as clear blocks on tapes.
"""

import sys
from collections.abc import Callable, Mapping
from typing import Any, Final

from tapekey import cli
from tapekey.mount import rest, witness
from tapekey.service import duties


def _gate_opens_before_the_key() -> None:
    shipped = duties.make_ready

    def early(transport: Any, hands: Any, *words: Any, **more: Any) -> Any:
        hands.door.release()
        return shipped(transport, hands, *words, **more)

    duties.make_ready = early


def _guard_is_not_set_at_rest() -> None:
    rest.guarding.close = lambda *_, **__: None  # type: ignore[attr-defined]


def _witness_says_nothing() -> None:
    witness.compare = lambda *_, **__: witness.Finding.NOTHING


FAULTS: Final[Mapping[str, Callable[[], None]]] = {
    "gate-opens-before-the-key": _gate_opens_before_the_key,
    "guard-is-not-set-at-rest": _guard_is_not_set_at_rest,
    "witness-says-nothing": _witness_says_nothing,
}


if __name__ == "__main__":
    FAULTS[sys.argv[1]]()
    sys.exit(cli.run(sys.argv[2:]))

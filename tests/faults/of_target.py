"""Faults of the virtual drive: its judgement is what the rest is tested against."""

import itertools
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, Final

import pytest

from tapekey.target import cipher, crypt
from tapekey.target.medium_record import Block
from tapekey.target.parameters import ParameterSets
from tapekey.target.state import Drive
from tapekey.target.tries import Tries
from tests.faults.fault import Fault, replaced, skipped


def _counted(patch: pytest.MonkeyPatch) -> None:
    blocks = itertools.count()
    patch.setattr(cipher, "os", SimpleNamespace(urandom=lambda size: (next(blocks) % 50).to_bytes(size, "big")))


def _without_akad(shipped: Callable[..., bytes], block: Block, size: int) -> bytes:
    return shipped(block._replace(seal=block.seal and block.seal._replace(authenticated=b"")), size)


def _in_clear(_: Callable[..., Any], __: Drive, ___: Any, data: Any) -> Any:
    return Block(len(data)), data


FAULTS: Final = {
    "IV reused": Fault(
        _counted,
        "tests/target/test_cipher.py::test_no_iv_is_used_twice_over_rewriting_and_copied_cartridges",
        "the IV is counted, and repeats",
    ),
    "A-KAD not authenticated": Fault(
        replaced(cipher, "bound", _without_akad),
        "tests/target/test_cipher.py::test_associated_data_is_as_documented",
        "what a block is bound to leaves out its key-associated data",
    ),
    "blocks stored in clear": Fault(
        replaced(crypt, "to_store", _in_clear),
        "tests/target/test_crypt.py::test_equal_blocks_are_stored_differently",
        "the virtual drive says that it encrypts, and does not",
    ),
    "wrong keys not counted": Fault(
        skipped(Tries, "failed"),
        "tests/target/test_crypt.py::test_wrong_keys_lock_the_drive_until_reload[3-3]",
        "keys can be found by trial",
    ),
    "key outlives its cartridge": Fault(
        skipped(ParameterSets, "demounted"),
        "tests/target/test_parameters.py::test_ckod_decides_what_an_unload_does_to_the_key[True]",
        "CKOD is ignored",
    ),
    "key outlives its set": Fault(
        skipped(ParameterSets, "_forget"),
        "tests/target/test_parameters.py::test_key_is_wiped_when_its_set_goes[off]",
        "key bytes stay in memory",
    ),
    "lock ignored": Fault(
        skipped(Drive, "check_lock"),
        "tests/target/test_parameters.py::test_lock_ends_with_the_next_set",
        "a nexus that locked its parameters writes under another's",
    ),
}

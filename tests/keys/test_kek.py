"""Both ways of wrapping, the compiled and the portable one, against published vectors and against each other."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import keywrap
from cryptography_vectors import open_vector_file

from tapekey.errors import Malformed, NotThisKey
from tapekey.keys import kek
from tapekey.keys.kek import Kek
from tapekey.secret import Secret

WYCHEPROOF = Path(__file__).parents[3] / "shared" / "vectors" / "wycheproof"
WAYS = {"compiled": True, "portable": False}
AGREEING = 1_000_000 if os.environ.get("TAPEKEY_SOAK") else 100_000


@pytest.fixture(params=list(WAYS.values()), ids=list(WAYS))
def compiled(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


def hexed(text: str) -> Secret:
    return Secret(bytes.fromhex(text))


def cavp(name: str) -> Iterator[dict[str, str]]:
    """NIST CAVP key wrap files: K, P and C lines of a case, FAIL where unwrapping must fail."""
    case: dict[str, str] = {}
    with open_vector_file(f"keywrap/kwtestvectors/{name}", "r") as file:
        for line in file:
            field, _, value = line.partition("=")
            if field.strip() == "COUNT" and case:
                yield case
                case = {}
            elif field.strip() in ("K", "P", "C"):
                case[field.strip()] = value.strip()
            elif line.strip() == "FAIL":
                case["P"] = "FAIL"
        yield case


SIZES = (128, 192, 256)
KW = [f"KW_A{way}_{size}.txt" for way in ("E", "D") for size in SIZES]
KWP = [f"KWP_A{way}_{size}.txt" for way in ("E", "D") for size in SIZES]


@pytest.mark.parametrize("name", KW + KWP)
def test_nist_cavp_vectors_hold(name: str, compiled: bool) -> None:
    padded, tried = name.startswith("KWP"), 0
    for case in cavp(name):
        wrapped = bytes.fromhex(case["C"])
        with kek.opened(hexed(case["K"]), compiled=compiled) as opened:
            unwrap = opened.unwrap_padded if padded else opened.unwrap
            if case["P"] == "FAIL":
                with pytest.raises(NotThisKey):
                    unwrap(wrapped)
            else:
                assert unwrap(wrapped) == hexed(case["P"])
                assert (opened.wrap_padded if padded else opened.wrap)(hexed(case["P"])) == wrapped
        tried += 1
    assert tried >= 100


@pytest.mark.parametrize(("name", "padded"), [("aes_wrap_test.json", False), ("aes_kwp_test.json", True)])
def test_wycheproof_agrees(name: str, padded: bool, compiled: bool) -> None:
    if not WYCHEPROOF.exists():
        pytest.skip("the Wycheproof vectors are not beside this checkout")
    groups = json.loads((WYCHEPROOF / name).read_text())["testGroups"]
    for case in (case for group in groups for case in group["tests"]):
        with kek.opened(hexed(case["key"]), compiled=compiled) as opened:
            try:
                unwrap = opened.unwrap_padded if padded else opened.unwrap
                good = unwrap(bytes.fromhex(case["ct"])) == hexed(case["msg"])
            except (Malformed, NotThisKey):
                good = False
        assert good is (case["result"] == "valid") or case["result"] == "acceptable", case


def batch(count: int, size: int = 32) -> tuple[Secret, Secret, bytes]:
    keys, outer = Secret(os.urandom(size * count)), Secret(os.urandom(32))
    with kek.opened(outer, compiled=False) as opened:
        return outer, keys, opened.wrap_all(keys, size)


@pytest.mark.parametrize("count", [1, 2, 255, 256, 257, 1000])
@pytest.mark.parametrize("size", [16, 32, 40, 512, 4096])
def test_a_batch_is_what_the_single_calls_give(count: int, size: int, compiled: bool) -> None:
    outer, keys, wrapped = batch(count, size)
    with kek.opened(outer, compiled=compiled) as opened:
        assert opened.wrap_all(keys, size) == wrapped
        assert opened.unwrap_all(wrapped, size + 8) == kek.Unwrapped(keys, ())


def test_a_damaged_key_is_told_by_its_place_and_hides_no_other(compiled: bool) -> None:
    outer, keys, wrapped = batch(600)
    damaged = bytearray(wrapped)
    for place in (0, 256, 599):
        damaged[place * 40 + 7] ^= 1
    with kek.opened(outer, compiled=compiled) as opened:
        done = opened.unwrap_all(bytes(damaged), 40)
        moved = opened.rewrap_all(opened, bytes(damaged), 40)
    assert done.failed == moved.failed == (0, 256, 599)
    assert done.keys.reveal()[32:64] == keys.reveal()[32:64]
    assert done.keys.reveal()[:32] == bytes(32)
    assert moved.wrapped[40:80] == wrapped[40:80]
    assert moved.wrapped[:40] == bytes(40)


def test_rewrapped_keys_open_with_the_new_key_only(compiled: bool) -> None:
    outer, keys, wrapped = batch(300)
    with kek.opened(outer, compiled=compiled) as old, kek.opened(Secret(os.urandom(32)), compiled=compiled) as new:
        moved = old.rewrap_all(new, wrapped, 40)
        assert new.unwrap_all(moved.wrapped, 40) == kek.Unwrapped(keys, ())
        assert len(old.unwrap_all(moved.wrapped, 40).failed) == 300


def test_random_keys_agree_with_cryptography() -> None:
    outer, keys = Secret(os.urandom(32)), Secret(os.urandom(32 * AGREEING))
    with kek.opened(outer, compiled=True) as opened:
        wrapped = opened.wrap_all(keys, 32)
        assert opened.unwrap_all(wrapped, 40) == kek.Unwrapped(keys, ())
    plain, key = keys.reveal(), outer.reveal()
    for place in range(AGREEING):
        assert wrapped[place * 40 : place * 40 + 40] == keywrap.aes_key_wrap(key, plain[place * 32 : place * 32 + 32])
    print(f"keys agreed: {AGREEING}")


@pytest.mark.parametrize("size", [0, 8, 12, 20, 33, 4104])
def test_sizes_that_cannot_be_wrapped_are_the_callers_mistake(size: int, compiled: bool) -> None:
    with kek.opened(Secret(bytes(32)), compiled=compiled) as opened, pytest.raises(ValueError, match="bytes"):
        opened.wrap_all(Secret(bytes(size)), size)


@pytest.mark.parametrize("size", [0, 7, 16, 25, 4112])
def test_sizes_that_cannot_be_unwrapped_are_malformed(size: int, compiled: bool) -> None:
    with kek.opened(Secret(bytes(32)), compiled=compiled) as opened, pytest.raises(Malformed):
        opened.unwrap(bytes(size))


def test_a_key_encrypting_key_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="16, 24 or 32"), kek.opened(Secret(bytes(31))):
        pass


def test_the_compiled_way_is_taken_when_it_is_there() -> None:
    with kek.opened(Secret(bytes(32))) as opened:
        found: Kek = opened
        assert isinstance(found, kek.Compiled)

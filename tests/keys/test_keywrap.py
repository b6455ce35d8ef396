import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapekey.errors import Malformed, NotThisKey
from tapekey.keys import keywrap
from tapekey.secret import Secret

WYCHEPROOF = Path(__file__).parents[3] / "shared" / "vectors" / "wycheproof"
KEK_256 = "000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F"
KEK_192 = "5840df6e29b02af1ab493b705bf16ea1ae8338f4dcc176a8"

PLAIN = {
    "RFC 3394 4.3": (
        KEK_256,
        "00112233445566778899AABBCCDDEEFF",
        "64E8C3F9CE0F5BA263E9777905818A2A93C8191E7D6E8AE7",
    ),
    "RFC 3394 4.6": (
        KEK_256,
        "00112233445566778899AABBCCDDEEFF000102030405060708090A0B0C0D0E0F",
        "28C9F404C4B810F4CBCCB35CFB87F8263F5786E2D80ED326CBC7F0E71A99F43BFB988B9B7A02DD21",
    ),
}
PADDED = {
    "RFC 5649 6, 20 octets": (
        KEK_192,
        "c37b7e6492584340bed12207808941155068f738",
        "138bdeaa9b8fa7fc61f97742e72248ee5ae6ae5360d1ae6a5f54f373fa543b6a",
    ),
    "RFC 5649 6, 7 octets": (KEK_192, "466f7250617369", "afbeb0f07dfbf5419200f2ccb50bb24f"),
}


def hexed(text: str) -> Secret:
    return Secret(bytes.fromhex(text))


@pytest.mark.parametrize(("kek", "key", "wrapped"), PLAIN.values(), ids=PLAIN)
def test_key_wrap_matches_the_rfc(kek: str, key: str, wrapped: str) -> None:
    assert keywrap.wrap(hexed(kek), hexed(key)) == bytes.fromhex(wrapped)
    assert keywrap.unwrap(hexed(kek), bytes.fromhex(wrapped)) == hexed(key)


@pytest.mark.parametrize(("kek", "key", "wrapped"), PADDED.values(), ids=PADDED)
def test_padded_key_wrap_matches_the_rfc(kek: str, key: str, wrapped: str) -> None:
    assert keywrap.wrap_padded(hexed(kek), hexed(key)) == bytes.fromhex(wrapped)
    assert keywrap.unwrap_padded(hexed(kek), bytes.fromhex(wrapped)) == hexed(key)


def test_another_kek_is_not_this_key() -> None:
    wrapped = bytes.fromhex(PLAIN["RFC 3394 4.6"][2])
    with pytest.raises(NotThisKey):
        keywrap.unwrap(Secret(bytes(32)), wrapped)
    with pytest.raises(NotThisKey):
        keywrap.unwrap_padded(hexed(KEK_256), wrapped)


@given(st.binary(max_size=100))
def test_any_bytes_are_refused_by_type(wrapped: bytes) -> None:
    with pytest.raises((Malformed, NotThisKey)):
        keywrap.unwrap(hexed(KEK_256), wrapped)
    with pytest.raises((Malformed, NotThisKey)):
        keywrap.unwrap_padded(hexed(KEK_256), wrapped)


def wycheproof(name: str) -> list[dict[str, str]]:
    if not WYCHEPROOF.exists():
        pytest.skip("the Wycheproof vectors are not beside this checkout")
    groups = json.loads((WYCHEPROOF / name).read_text())["testGroups"]
    return [case for group in groups for case in group["tests"]]


@pytest.mark.parametrize(("name", "padded"), [("aes_wrap_test.json", False), ("aes_kwp_test.json", True)])
def test_wycheproof_agrees(name: str, padded: bool) -> None:
    unwrap = keywrap.unwrap_padded if padded else keywrap.unwrap
    seen = {"valid": 0, "invalid": 0, "acceptable": 0}
    for case in wycheproof(name):
        seen[case["result"]] += 1
        try:
            opened = unwrap(hexed(case["key"]), bytes.fromhex(case["ct"])) == hexed(case["msg"])
        except (Malformed, NotThisKey):
            opened = False
        assert opened is (case["result"] == "valid") or case["result"] == "acceptable", case
    assert seen["valid"] > 20
    assert seen["invalid"] > 50

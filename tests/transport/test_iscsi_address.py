"""URIs of logical units behind iSCSI; names by RFC 7143, 4.2.7, the form by libiscsi's README."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapekey.errors import Usage
from tapekey.transport.iscsi_address import Address, parse

IQN = "iqn.2026-11.invalid.tapekey:library"

GOOD = {
    "with a port": (f"iscsi://127.0.0.1:3261/{IQN}/1", Address("127.0.0.1", 3261, IQN, 1)),
    "without": (f"iscsi://tape.example/{IQN}/0", Address("tape.example", 3260, IQN, 0)),
    "IPv6": (f"iscsi://[::1]:3260/{IQN}/24", Address("::1", 3260, IQN, 24)),
    "IPv6 without a port": (f"iscsi://[fe80::1]/{IQN}/255", Address("fe80::1", 3260, IQN, 255)),
    "a name in capitals": (f"iscsi://h/{IQN.upper()}/1", Address("h", 3260, IQN, 1)),
    "EUI": ("iscsi://h/eui.02004567a425678d/1", Address("h", 3260, "eui.02004567a425678d", 1)),
    "NAA": ("iscsi://h/naa.52004567ba64678d/1", Address("h", 3260, "naa.52004567ba64678d", 1)),
}

BAD = {
    "nothing": "",
    "another scheme": "virtual:drive",
    "no slashes": f"iscsi:127.0.0.1/{IQN}/1",
    "no host": f"iscsi:///{IQN}/1",
    "no target": "iscsi://127.0.0.1/1",
    "no LUN": f"iscsi://127.0.0.1/{IQN}",
    "a LUN that is none": f"iscsi://127.0.0.1/{IQN}/first",
    "a LUN too high": f"iscsi://127.0.0.1/{IQN}/256",
    "a LUN below nothing": f"iscsi://127.0.0.1/{IQN}/-1",
    "digits that int takes and nobody types": f"iscsi://127.0.0.1/{IQN}/\N{ARABIC-INDIC DIGIT ONE}",
    "a port too high": f"iscsi://127.0.0.1:65536/{IQN}/1",
    "a port that is none": f"iscsi://127.0.0.1:/{IQN}/1",
    "a bare IPv6 address": f"iscsi://::1/{IQN}/1",
    "a name of no kind": "iscsi://127.0.0.1/library/1",
    "a name too long": f"iscsi://127.0.0.1/iqn.{'a' * 220}/1",
    "a query": f"iscsi://127.0.0.1/{IQN}/1?header_digest=crc32c",
}


@pytest.mark.parametrize(("uri", "address"), GOOD.values(), ids=GOOD)
def test_uri_names_a_logical_unit(uri: str, address: Address) -> None:
    assert parse(uri) == address
    assert parse(str(address)) == address


@pytest.mark.parametrize("uri", BAD.values(), ids=BAD)
def test_what_names_none_is_refused_and_the_form_told(uri: str) -> None:
    with pytest.raises(Usage) as refused:
        parse(uri)
    assert "iscsi://HOST[:PORT]/TARGET-NAME/LUN" in refused.value.mend


@pytest.mark.parametrize("who", ["ada%moon-landing-1969@", "ada:moon-landing-1969@", "ada@", "%moon-landing-1969@"])
def test_uri_with_credentials_is_refused_without_repeating_them(who: str) -> None:
    with pytest.raises(Usage, match="password") as refused:
        parse(f"iscsi://{who}127.0.0.1:3260/{IQN}/1")
    told = f"{refused.value} {refused.value.why} {refused.value.mend} {refused.value.args}"
    assert "moon" not in told
    assert "ada" not in told
    assert "TAPEKEY_ISCSI_CHAP_FILE" in told


@given(st.text(max_size=60).map("iscsi://".__add__) | st.text(max_size=60))
def test_any_text_is_an_address_or_a_refusal(text: str) -> None:
    try:
        address = parse(text)
    except Usage:
        return
    assert parse(str(address)) == address

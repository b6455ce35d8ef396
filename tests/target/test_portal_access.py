"""Where a portal may listen, what it is called, and the file of CHAP secrets."""

import contextlib
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapekey.errors import Usage
from tapekey.target import portal_access

GOOD = "# who may log in\nhost1:correct horse battery\n\nhost2:se:cr:et:of:host:2\nmutual library:another secret\n"


def file(path: Path, text: str | bytes, mode: int = 0o600) -> Path:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    path.chmod(mode)
    return path


def test_chap_file_gives_names_secrets_and_the_target_s_own(tmp_path: Path) -> None:
    chap = portal_access.chap(file(tmp_path / "chap", GOOD))

    assert [(user.name, user.secret) for user in chap.users] == [
        ("host1", b"correct horse battery"),
        ("host2", b"se:cr:et:of:host:2"),
    ]
    assert chap.target is not None
    assert (chap.target.name, chap.target.secret) == ("library", b"another secret")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o602, 0o777], ids=oct)
def test_chap_file_that_others_can_open_is_refused(tmp_path: Path, mode: int) -> None:
    with pytest.raises(Usage, match="open to others"):
        portal_access.chap(file(tmp_path / "chap", GOOD, mode))


BAD = {
    "nothing": "",
    "comments only": "# a:twelve bytes!\n",
    "mutual only": "mutual library:another secret\n",
    "no colon": "host1 correct horse battery\n",
    "no name": ":correct horse battery\n",
    "short secret": "host1:elevenbytes\n",
    "long secret": f"host1:{'x' * 256}\n",
    "a name twice": "host1:correct horse battery\nhost1:another secret\n",
    "mutual twice": GOOD + "mutual library:a third secret\n",
    "one secret for both": "host1:correct horse battery\nmutual library:correct horse battery\n",
    "no text": b"host1:\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\n",
}


@pytest.mark.parametrize("text", BAD.values(), ids=BAD)
def test_bad_chap_file_is_refused_and_no_secret_is_told(tmp_path: Path, text: str | bytes) -> None:
    with pytest.raises(Usage) as caught:
        portal_access.chap(file(tmp_path / "chap", text))
    told = f"{caught.value} {caught.value.mend}"
    assert not any(secret in told for secret in ("horse", "elevenbytes", "xxxx"))


@pytest.mark.parametrize("what", ["missing", "directory", "pipe"])
def test_chap_file_must_be_a_file(tmp_path: Path, what: str) -> None:
    path = tmp_path / "chap"
    if what == "directory":
        path.mkdir(0o700)
    if what == "pipe":
        os.mkfifo(path, 0o600)
    with pytest.raises(Usage, match="CHAP file"):
        portal_access.chap(path)


ADDRESSES = {
    "127.0.0.1:3260": ("127.0.0.1", 3260),
    "127.0.0.1": ("127.0.0.1", 3260),
    "127.0.0.1:0": ("127.0.0.1", 0),
    "[::1]:3261": ("::1", 3261),
    "[::1]": ("::1", 3260),
    "192.0.2.1:860": ("192.0.2.1", 860),
}


@pytest.mark.parametrize(("text", "expected"), ADDRESSES.items(), ids=ADDRESSES)
def test_address_is_host_and_port(text: str, expected: tuple[str, int]) -> None:
    assert portal_access.address(text) == expected


@pytest.mark.parametrize("text", ["", ":3260", "127.0.0.1:", "127.0.0.1:65536", "::1:3260:", "a b:1", "127.0.0.1:x"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(Usage):
        portal_access.address(text)


@pytest.mark.parametrize("host", ["10.0.2.2", "192.0.2.1", "::", "2001:db8::1", "fe80::1%lo"])
def test_other_hosts_are_served_with_chap_or_by_an_open_word_only(host: str) -> None:
    portal_access.refuse_open((host, 3260), guarded=True, allowed=False)
    portal_access.refuse_open((host, 3260), guarded=False, allowed=True)
    with pytest.raises(Usage, match="any host could use the drives"):
        portal_access.refuse_open((host, 3260), guarded=False, allowed=False)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1"])
def test_loopback_needs_neither(host: str) -> None:
    portal_access.refuse_open((host, 3260), guarded=False, allowed=False)


NAMES = {
    "iqn.2026-11.com.example:lib": "iqn.2026-11.com.example:lib",
    "IQN.2026-11.Com.Example:Lib": "iqn.2026-11.com.example:lib",
    "eui.02004567a425678d": "eui.02004567a425678d",
    "naa.52004567ba64678d": "naa.52004567ba64678d",
    "DRIVE00001": "iqn.2026-11.invalid.tapekey:drive00001",
    "my library": "iqn.2026-11.invalid.tapekey:my-library",
}


@pytest.mark.parametrize(("text", "name"), NAMES.items(), ids=NAMES)
def test_target_name_is_an_iscsi_name(text: str, name: str) -> None:
    assert portal_access.target_name(text) == name


@pytest.mark.parametrize(
    "text", ["iqn.x", "eui.12", "naa.zz", "iqn.2026-11.com.example:" + "x" * 224, "iqn.2026-11.a b"]
)
def test_what_is_no_iscsi_name_is_refused(text: str) -> None:
    with pytest.raises(Usage):
        portal_access.target_name(text)


@given(text=st.binary(max_size=300))
def test_any_chap_file_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, text: bytes) -> None:
    path = file(tmp_path_factory.getbasetemp() / "any-chap", text)
    with contextlib.suppress(Usage):
        assert portal_access.chap(path).users


@given(text=st.text(max_size=60))
def test_any_name_gives_an_iscsi_name_or_is_refused(text: str) -> None:
    with contextlib.suppress(Usage):
        assert portal_access.NAME.fullmatch(portal_access.target_name(text))

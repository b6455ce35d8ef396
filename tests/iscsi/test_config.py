"""What a target is configured with, and that it keeps its secrets to itself."""

import pytest

from tapekey.iscsi.config import Chap, Config, Credential

USER = Credential("host", b"0123456789abcdef")


def test_secret_shorter_than_96_bits_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 12 bytes"):
        Credential("host", b"0123456789a")


def test_secret_without_a_name_is_refused() -> None:
    with pytest.raises(ValueError, match="a name"):
        Credential("", b"0123456789ab")


def test_one_secret_for_both_directions_is_refused() -> None:
    with pytest.raises(ValueError, match="each direction"):
        Chap((USER,), Credential("library", USER.secret))


def test_secret_is_not_shown() -> None:
    config = Config("iqn.2026-11.org.tapekey:library", chap=Chap((USER,), Credential("library", b"fedcba9876543210")))
    shown = f"{config!r} {config.chap!r} {USER!r} {USER}"
    assert "0123456789abcdef" not in shown
    assert "fedcba9876543210" not in shown


def test_user_is_found_by_name() -> None:
    assert Chap((USER,)).secret_of("host") == USER.secret
    assert Chap((USER,)).secret_of("Host") is None

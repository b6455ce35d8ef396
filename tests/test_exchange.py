"""Commands and replies: what they show of themselves."""

from dataclasses import FrozenInstanceError

import pytest

from tapekey.exchange import Command, Reply
from tapekey.secret import Secret

KEY = b"0123456789abcdef0123456789ABCDEF"


def test_command_shows_its_cdb_and_lengths() -> None:
    command = Command(bytes.fromhex("12 00 00 00 60 00"), data_in_max=96)

    assert repr(command) == "Command(12 00 00 00 60 00, out=0 bytes, in<=96)"


def test_command_shows_the_length_of_a_secret_only() -> None:
    shown = repr(Command(b"\xb5", data_out=Secret(KEY)))

    assert shown == "Command(b5, out=<secret, 32 bytes>, in<=0)"


@pytest.mark.parametrize("out", [KEY, Secret(KEY)], ids=["plain", "secret"])
def test_data_of_a_command_are_not_shown(out: bytes | Secret) -> None:
    shown = repr(Command(b"\xb5", data_out=out))

    assert KEY.decode() not in shown
    assert KEY.hex() not in shown.replace(" ", "")


def test_reply_shows_status_length_and_sense() -> None:
    reply = Reply(2, b"abcd", bytes.fromhex("70 00 05"))

    assert repr(reply) == "Reply(status=02, in=4 bytes, sense=70 00 05)"


def test_commands_and_replies_do_not_change() -> None:
    with pytest.raises(FrozenInstanceError):
        Command(b"\0").cdb = b"\1"  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError):
        Reply(0).status = 2  # type: ignore[misc]

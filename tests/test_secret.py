"""A secret shows its length and nothing else."""

import copy
import hmac
import pickle
import traceback
from unittest import mock

import pytest

from tapekey.secret import Secret

KEY = bytes(range(65, 97))


def test_bytes_come_out_only_when_revealed() -> None:
    assert bytes(Secret(KEY).reveal()) == KEY


def test_view_cannot_be_written_through() -> None:
    view = Secret(KEY).reveal()

    with pytest.raises(TypeError):
        view[0] = 0


@pytest.mark.parametrize("show", [repr, str, "{!r}".format, "%s".__mod__, lambda one: repr([one])])
def test_showing_it_shows_its_length(show: object) -> None:
    assert callable(show)
    shown = show(Secret(KEY))

    assert "<secret, 32 bytes>" in shown
    assert KEY.decode() not in shown
    assert KEY.hex() not in shown


@pytest.mark.parametrize("use", [format, hash, bytes, list, pickle.dumps, copy.copy, copy.deepcopy, iter])
def test_what_would_leak_it_is_refused(use: object) -> None:
    assert callable(use)
    with pytest.raises(TypeError):
        use(Secret(KEY))


def test_f_string_is_refused() -> None:
    with pytest.raises(TypeError, match="not for printing"):
        f"{Secret(KEY)}"


def test_traceback_with_locals_does_not_show_it() -> None:
    def fail(key: Secret) -> None:
        raise RuntimeError(f"with {key!r}")

    try:
        fail(Secret(KEY))
    except RuntimeError as error:
        shown = "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
    assert "<secret, 32 bytes>" in shown
    assert KEY.hex() not in shown


def test_it_compares_in_constant_time() -> None:
    with mock.patch.object(hmac, "compare_digest", return_value=True) as compare:
        assert Secret(KEY) == Secret(b"other")
    assert compare.call_count == 1


def test_it_equals_its_like_only() -> None:
    assert Secret(KEY) == Secret(KEY)
    assert Secret(KEY) != Secret(KEY[:31])
    assert Secret(KEY) != Secret(bytes(32))
    assert Secret(KEY) != KEY


def test_wiping_zeroes_lent_views_and_closes_it() -> None:
    key = Secret(KEY)
    view = key.reveal()

    key.wipe()

    assert bytes(view) == bytes(32)


def test_wiped_secret_is_not_revealed() -> None:
    key = Secret(KEY)
    key.wipe()

    with pytest.raises(ValueError, match="has been wiped"):
        key.reveal()


def test_wiped_secret_is_not_revealed_while_a_view_is_lent() -> None:
    key = Secret(KEY)
    view = key.reveal()
    key.wipe()

    with pytest.raises(ValueError, match="has been wiped"):
        key.reveal()
    assert bytes(view) == bytes(32)


def test_leaving_a_block_wipes_it() -> None:
    with Secret(KEY) as key:
        pass
    with pytest.raises(ValueError, match="has been wiped"):
        key.reveal()


def test_wiping_twice_is_harmless() -> None:
    key = Secret(KEY)
    key.wipe()
    key.wipe()


def test_taking_it_from_a_buffer_zeroes_the_buffer() -> None:
    buffer = bytearray(KEY)

    key = Secret.taken_from(buffer)

    assert buffer == bytes(32)
    assert bytes(key.reveal()) == KEY


def test_joining_keeps_the_whole_secret() -> None:
    joined = Secret.joined([b"head", Secret(KEY), b"tail"])

    assert bytes(joined.reveal()) == b"head" + KEY + b"tail"
    assert repr(joined) == "<secret, 40 bytes>"


def test_no_bytes_are_a_secret_too() -> None:
    assert not Secret(b"")
    assert len(Secret(b"")) == 0
    assert bytes(Secret(b"").reveal()) == b""
    assert Secret(b"\0")


def test_a_view_outlives_the_secret_that_lent_it() -> None:
    view = Secret(KEY).reveal()
    assert bytes(view) == KEY


def test_a_dropped_secret_wipes_its_page() -> None:
    secret = Secret(KEY)
    page = secret._page
    with mock.patch("tapekey.secret._UNLENT", 3):  # this test holds the page too
        del secret
    assert page.closed


def test_code_that_makes_a_key_fills_the_page_itself() -> None:
    secret = Secret(bytes(4))
    with secret.filled() as page:
        page[:] = b"abcd"
    assert bytes(secret.reveal()) == b"abcd"

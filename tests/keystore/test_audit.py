"""The audit chain: whatever is done to it, `check` names the first bad line."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapekey.errors import StoreDamaged
from tapekey.keystore import audit

Row = tuple[int, str, bool]


def chain(length: int = 5) -> list[Row]:
    rows: list[Row] = []
    previous = audit.START
    for seq in range(1, length + 1):
        text = audit.compose(seq, f"2026-11-23T12:00:0{seq}.000000Z", "key released", False, {"key": seq}, previous)
        rows.append((seq, text, True))
        previous = audit.hash_of(text)
    return rows


def verdict(rows: list[Row], of: int = 5) -> int:
    return audit.check(rows, of, audit.hash_of(chain(of)[-1][1]))


def test_a_whole_chain_verifies() -> None:
    assert verdict(chain()) == 5


def test_an_empty_chain_verifies() -> None:
    assert audit.check([], 0, audit.START) == 0


@pytest.mark.parametrize("at", range(5))
def test_a_deleted_line_is_named(at: int) -> None:
    rows = chain()
    del rows[at]
    with pytest.raises(StoreDamaged, match=f"audit line {at + 1} "):
        verdict(rows)


@pytest.mark.parametrize("at", range(5))
def test_a_changed_line_is_named(at: int) -> None:
    rows = chain()
    rows[at] = (at + 1, rows[at][1].replace("released", "refused"), False)
    with pytest.raises(StoreDamaged, match=f"audit line {at + 1} .*changed"):
        verdict(rows)


@pytest.mark.parametrize("at", range(4))
def test_swapped_lines_are_named_even_with_their_numbers_put_right(at: int) -> None:
    rows = chain()
    first, second = rows[at][1], rows[at + 1][1]
    rows[at], rows[at + 1] = (at + 1, second, True), (at + 2, first, True)
    with pytest.raises(StoreDamaged, match=f"audit line {at + 1} "):
        verdict(rows)


@pytest.mark.parametrize("left", range(5))
def test_a_cut_tail_is_named(left: int) -> None:
    with pytest.raises(StoreDamaged, match=f"audit line {left + 1} .*missing"):
        verdict(chain()[:left])


def test_a_line_too_many_is_named() -> None:
    with pytest.raises(StoreDamaged, match="audit line 6 "):
        audit.check(chain(6), 5, audit.hash_of(chain(5)[-1][1]))


def test_a_rewritten_tail_is_found_by_the_head() -> None:
    rows = chain()
    rows[4] = (5, rows[4][1].replace("released", "refused"), True)
    with pytest.raises(StoreDamaged, match="audit line 5 .*head"):
        verdict(rows)


def test_a_line_is_canonical_json() -> None:
    text = audit.compose(1, "2026-11-23T12:00:00.000000Z", "é", True, {"b": None, "a": 1}, audit.START)
    assert text == (
        '{"alarm":1,"event":"\\u00e9","facts":{"a":1,"b":null},'
        f'"previous":"{"00" * 32}","seq":1,"time":"2026-11-23T12:00:00.000000Z"}}'
    )


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("a\nb", "a\\nb"),
        ("\x1b[2J", "\\x1b[2J"),
        ("\u202egnp.exe", "\\u202egnp.exe"),
        ("\ud800", "\\ud800"),
        ("\0", "\\x00"),
        ("Büro", "Büro"),
    ],
    ids=["newline", "terminal", "bidi", "surrogate", "nul", "plain"],
)
def test_what_does_not_print_is_escaped(hostile: str, shown: str) -> None:
    assert audit.written(hostile) == shown


@given(st.text())
def test_every_value_is_short_and_printable(value: str) -> None:
    shown = audit.written(value)
    assert isinstance(shown, str)
    assert len(shown) <= audit.LONGEST
    assert shown.isprintable()


def test_a_long_value_is_cut() -> None:
    shown = audit.written("x" * 100_000)
    assert isinstance(shown, str)
    assert shown == "x" * 253 + "..."


def test_bytes_are_not_accepted() -> None:
    with pytest.raises(ValueError, match="bytes"):
        audit.compose(1, "t", "e", False, {"key": b"k" * 32}, audit.START)  # type: ignore[dict-item]


@given(st.text())
def test_any_text_is_a_line_or_damage(text: str) -> None:
    try:
        line = audit.parse(text)
    except StoreDamaged:
        return
    assert json.loads(text)["seq"] == line.seq


def test_a_time_without_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="zone"):
        audit.stamp(datetime(2026, 1, 1))  # noqa: DTZ001
    assert audit.stamp(datetime(2026, 1, 1, tzinfo=UTC)) == "2026-01-01T00:00:00.000000Z"

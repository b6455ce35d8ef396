"""Facts as people and programs read them; bytes from outside cannot play with the terminal."""

import json

import pytest

from tapekey.cli.render import captions, clean, emit, pairs, table

CLEANED = {
    "plain": ("ENC001L6", "ENC001L6"),
    "letters of other scripts": ("Bänder 帯", "Bänder 帯"),
    "clear screen": ("\x1b[2J", "\\x1b[2J"),
    "C1 control sequence introducer": ("\x9b31m", "\\x9b31m"),
    "end of line": ("one\ntwo\r", "one\\ntwo\\r"),
    "bell and backspace": ("\a\b", "\\x07\\x08"),
    "right-to-left override": ("\u202egnp", "\\u202egnp"),
    "isolate": ("\u2066x\u2069", "\\u2066x\\u2069"),
    "line separator": ("\u2028", "\\u2028"),
    "zero width space": ("\u200b", "\\u200b"),
    "lone surrogate": ("\udc80", "\\udc80"),
    "yes": (True, "yes"),
    "no": (False, "no"),
    "nothing": (None, ""),
    "a list": (["one", 2], "one, 2"),
    "a number": (0, "0"),
}


@pytest.mark.parametrize(("value", "text"), CLEANED.values(), ids=CLEANED)
def test_values_are_shown_as_harmless_text(value: object, text: str) -> None:
    assert clean(value) == text


def test_pairs_are_aligned_and_empty_ones_left_out() -> None:
    assert pairs({"a": "x", "long": 0, "none": None, "list": [], "off": False}) == ["a     x", "long  0", "off   no"]


def test_table_is_aligned_under_its_head() -> None:
    assert table(("name", "n"), [["a\x1b", 1], ["longer", 22]]) == ["name    n", "a\\x1b   1", "longer  22"]


def test_empty_table_says_so() -> None:
    assert table(("name",), []) == ["none"]


def test_captions_have_no_underscores() -> None:
    assert captions({"one_two": 3}) == {"one two": 3}


def test_json_names_its_schema_and_is_ascii(capsys: pytest.CaptureFixture[str]) -> None:
    emit("thing", {"a": "\x1b\u202e", "b": [1, None, True]}, True, ["text"])
    out = capsys.readouterr().out
    assert out.isascii()
    assert "\x1b" not in out
    assert json.loads(out) == {"schema": "tapekey.thing/1", "a": "\x1b\u202e", "b": [1, None, True]}


def test_text_is_printed_as_lines(capsys: pytest.CaptureFixture[str]) -> None:
    emit("thing", {}, False, ["one", "two"])
    assert capsys.readouterr().out == "one\ntwo\n"

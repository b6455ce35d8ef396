"""Errors say what, why and mend, and every class is told apart by somebody."""

import inspect

import pytest

from tapekey import errors
from tapekey.errors import DeviceError, Refused, TapekeyError

CLASSES = [one for _, one in inspect.getmembers(errors, inspect.isclass) if issubclass(one, Exception)]


def test_error_is_one_line_of_what_and_why() -> None:
    error = TapekeyError("cannot set the key", why="the cartridge is write-protected", mend="slide the tab")

    assert str(error) == "cannot set the key: the cartridge is write-protected"
    assert error.mend == "slide the tab"


def test_error_without_why_is_what() -> None:
    assert str(TapekeyError("cannot set the key")) == "cannot set the key"


def test_device_error_carries_the_sense_code() -> None:
    assert DeviceError("read failed", code="7/74/03").code == "7/74/03"


def test_refusal_is_quiet_unless_it_is_an_alarm() -> None:
    assert not Refused("no").alarm
    assert Refused("no", alarm=True).alarm


@pytest.mark.parametrize("error", CLASSES, ids=lambda one: one.__name__)
def test_every_error_is_a_tapekey_error_with_a_sentence(error: type[Exception]) -> None:
    assert issubclass(error, TapekeyError)
    assert error.__doc__
    assert error.__doc__.splitlines()[0].endswith((".", ":"))


def test_this_module_imports_nothing() -> None:
    assert not [one for one in vars(errors).values() if inspect.ismodule(one)]

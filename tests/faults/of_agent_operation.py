"""Faults of what an administrator stands on: who may ask, what is told to whom, and what is left behind."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

from tapekey.errors import AgentMissing
from tapekey.service import asking, control, control_socket, journal, notify, prognosis
from tapekey.service.control import Who
from tests import test_uninstall
from tests.faults.fault import Fault, Plant, entry, other, replaced, skipped

ROOT = Path(__file__).parents[2]
_CONTROL = "tests/service/test_control.py::"
_SOCKET = "tests/service/test_control_socket.py::"


def _through_a_shell(shipped: Callable[..., Any], command: list[str], **more: Any) -> Any:
    return shipped(" ".join(command), shell=True, **more)  # noqa: S604


def _edited(text: str, old: str, new: str) -> str:
    assert old in text
    return text.replace(old, new)


def _place(name: str) -> Path:
    """A directory of this process's own below build/, where `make clean` finds it."""
    place = ROOT / "build" / "faults" / f"{name}-{os.getpid()}"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    return place


def _programs(module: str, old: str, new: str) -> Plant:
    """Programs that are started find a copy of the package with another text in one module."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        copy = _place("package")
        shutil.copytree(ROOT / "agent" / "tapekey", copy / "tapekey", ignore=shutil.ignore_patterns("__pycache__"))
        edited = copy / "tapekey" / module
        edited.write_text(_edited(edited.read_text(), old, new))
        patch.setenv("PYTHONPATH", str(copy))

    return plant


def _script(old: str, new: str) -> Plant:
    """uninstall.sh with another text."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        edited = _place("script") / "uninstall.sh"
        edited.write_text(_edited((ROOT / "uninstall.sh").read_text(), old, new))
        patch.setattr(test_uninstall, "SCRIPT", edited)

    return plant


# fmt: off
FAULTS: Final[dict[str, Fault]] = {
    "anybody may unload": Fault(
        entry(control.WHO_MAY, "unload", Who.ANYBODY),  # type: ignore[arg-type]
        _CONTROL + "test_what_changes_a_drive_is_nobody_elses",
        "lets whoever reaches the socket unload a cartridge",
    ),
    "a living agent's socket is taken": Fault(
        skipped(control_socket, "_demand_nobody_there"),
        _SOCKET + "test_a_socket_that_answers_is_never_taken_even_without_its_lock",
        "puts a second agent in the place of one that answers",
    ),
    "silence is no agent": Fault(
        other(asking, "TimedOut", AgentMissing),
        "tests/service/test_asking.py::test_silence_is_not_a_missing_agent",
        "takes an agent that is slow for none, so that a hook works beside it",
    ),
    "status loads the store": Fault(
        _programs("cli/status.py", "import click\n", "import click\nimport sqlalchemy\n"),
        "tests/cli/test_status.py::test_it_loads_nothing_heavy",
        "loads a database to print what the agent says",
    ),
    "uninstalling strands keys": Fault(
        _script('[ -n "$keep_keys" ] || refuse "there', '[ -n "$keep_keys" ] || echo "there'),
        "tests/test_uninstall.py::test_it_goes_on_only_where_nothing_is_stranded[keys]",
        "removes tapekey from beside a keystore that nothing else opens",
    ),
    "uninstalling takes unknown for open": Fault(
        _script("110) ;;", "11*) ;;"),
        "tests/test_uninstall.py::test_it_goes_on_only_where_nothing_is_stranded[locked]",
        "removes tapekey though a keystore that it cannot open may hold a drive's own mode page",
    ),
    "a shell reads the alert command": Fault(
        replaced(subprocess, "Popen", _through_a_shell),
        "tests/service/test_alerting.py::test_the_command_is_told_the_facts_and_no_shell_reads_them",
        "gives a shell what an administrator wrote as a program and its arguments",
    ),
    "a drive's name speaks to systemd": Fault(
        other(notify, "_line", lambda text: text),
        "tests/service/test_notify.py::test_a_name_from_a_drive_cannot_say_more_to_systemd",
        "lets a name that a drive told set another main process",
    ),
    "a barcode forges a journal field": Fault(
        other(journal, "_field", lambda name, value: f"{name}={value}\n".encode()),
        "tests/service/test_journal.py::test_a_line_end_in_a_value_cannot_make_a_field",
        "lets a barcode with a line end make a field of its own",
    ),
    "a weak guard is good enough": Fault(
        other(prognosis, "weaker", lambda *_: False),
        "tests/service/test_prognosis.py::test_a_demand_that_is_not_met_is_told_with_what_stands",
        "does not tell that a drive has less guard than its rule demands",
    ),
}
# fmt: on

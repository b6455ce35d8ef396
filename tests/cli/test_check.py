"""`tapekey check`: which facts make which status, and the form of what it prints."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from tapekey import cli
from tapekey.cli import check
from tapekey.cli.check import Level
from tapekey.service import control
from tapekey.service.told import Told
from tapekey.service.view import AgentView, DriveView, State, as_json

GOOD = DriveView("HU1", "/dev/sg3", state=State.EMPTY, guards=("drive", "watched"))
VIEW = AgentView("0.1.0", 7, 1.0, "/ks", drives=(GOOD,), counters=(("alarms", 4), ("lost_races", 0)))


def of(**changes: object) -> AgentView:
    return replace(VIEW, drives=(replace(GOOD, **changes),))  # type: ignore[arg-type]


# fmt: off
CASES: dict[str, tuple[AgentView, Level, str]] = {
    "all is well":         (VIEW, Level.OK, "the next job on each drive has what it needs"),
    "mounted, no account": (of(state=State.READY_TO_WRITE, accounted=False), Level.OK, "the next job"),
    "no keystore":         (replace(VIEW, manager="it is locked"), Level.CRITICAL, "does not answer: it is locked"),
    "single copies":       (replace(VIEW, single_copy=True), Level.WARNING, "exist once only"),
    "an old alarm":        (replace(VIEW, alarms=("HU1: a lost race",)), Level.WARNING, "alarm: HU1: a lost race"),
    "no drives":           (replace(VIEW, drives=()), Level.WARNING, "no drives"),
    "pending":             (of(state=State.PENDING), Level.WARNING, "waits for approval"),
    "no account":          (of(accounted=False, volser="ENC001"), Level.WARNING, "cartridge ENC001 is outstanding"),
    "long work":           (of(busy_since=1.0), Level.WARNING, "has been worked on"),
    "prognosis":           (of(prognosis=("it is dirty",), mend="clean it"), Level.CRITICAL,
                            "the next job on drive HU1 will fail because it is dirty (try: clean it)"),
    "alarm":               (of(alarm=True, why="another set a key"), Level.CRITICAL, "alarm: another set a key"),
}
# fmt: on


@pytest.mark.parametrize("name", CASES)
def test_each_fact_has_its_status(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    view, level, text = CASES[name]
    path = tmp_path / "s"
    with control.serving(path, {"status": lambda _caller, _arguments: as_json(view)}):
        assert cli.run(["check", "--socket", str(path)]) == level
    first = capsys.readouterr().out.splitlines()[0]
    assert first.startswith(f"TAPEKEY {level.name} - ")
    assert text in first


def test_no_agent_is_critical_and_a_bad_configuration_unknown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["check", "--socket", str(tmp_path / "none")]) == Level.CRITICAL
    (tmp_path / "t.toml").write_text("x =")
    monkeypatch.setenv("TAPEKEY_CONFIG", str(tmp_path / "t.toml"))
    assert cli.run(["check"]) == Level.UNKNOWN
    assert [line.split(" - ")[0] for line in capsys.readouterr().out.splitlines() if " - " in line] == [
        "TAPEKEY CRITICAL",
        "TAPEKEY UNKNOWN",
    ]


def findings(view: AgentView, *names: str) -> list[check.Finding]:
    return list(check.of_drives(Told(json.loads(json.dumps(as_json(view)))), names, 10.0))


def test_only_named_drives_are_told_and_one_not_seen_is_critical() -> None:
    view = of(prognosis=("it is ill",))
    assert [found.level for found in findings(view, "HU2")] == [Level.CRITICAL]
    assert "does not see it" in findings(view, "HU2")[0].text
    assert "it is ill" in findings(view, "HU1")[0].text


# monitoring-plugins.org/doc/guidelines.html: 'label'=value[UOM]
FIGURE = re.compile(r"[a-z_]+=\d+c?")


def test_figures_are_in_the_plugins_form(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    view = of(prognosis=("a bar | in a name\nOK",))
    with control.serving(tmp_path / "s", {"status": lambda _caller, _arguments: as_json(view)}):
        cli.run(["check", "--socket", str(tmp_path / "s")])
    first, *more = capsys.readouterr().out.splitlines()
    text, bar, figures = first.partition(" | ")
    assert bar
    assert "|" not in text + "".join(more)
    assert all(FIGURE.fullmatch(figure) for figure in figures.split())
    assert {"drives=1", "failing=1", "alarms=0", "alarms_total=4c"} <= set(figures.split())

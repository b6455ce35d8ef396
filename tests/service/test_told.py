import json
import subprocess
import sys
from dataclasses import fields

import pytest

from tapekey.errors import Malformed
from tapekey.service.told import Told
from tapekey.service.view import AgentView, DriveView, as_json

VIEW = AgentView("0.1.0", 7, 1.5, "/ks", drives=(DriveView("HU1", "/dev/sg3"),), counters=(("alarms", 2),))


def test_what_the_agent_told_is_read_back() -> None:
    told = Told(json.loads(json.dumps(as_json(VIEW))))
    assert (told.text("version"), told.number("started"), told.numbers("counters")) == ("0.1.0", 1.5, {"alarms": 2})
    (drive,) = told.several("drives")
    assert (drive.text("serial"), drive.text("state"), drive.texts("guards")) == ("HU1", "pending", [])
    assert (drive.flag("alarm"), drive.flag("accounted")) == (False, True)


def test_what_an_older_agent_does_not_tell_is_empty() -> None:
    told = Told({})
    assert (told.text("a"), told.number("a"), told.texts("a"), told.several("a")) == ("", 0, [], [])
    assert (told.flag("a"), told.flag("a", absent=True), told.numbers("a")) == (False, True, {})


@pytest.mark.parametrize("read", [Told.text, Told.number, Told.texts, Told.several, Told.flag, Told.numbers])
def test_another_form_is_malformed(read: object) -> None:
    assert callable(read)
    with pytest.raises(Malformed, match="'a'"):
        read(Told({"a": ("neither", "of", "them")}), "a")


@pytest.mark.parametrize("facts", [None, [], "x", 7])
def test_what_is_no_object_is_malformed(facts: object) -> None:
    with pytest.raises(Malformed):
        Told(facts)


def test_every_fact_that_a_reader_reads_is_one_that_the_agent_tells() -> None:
    program = """if 1:
        import json, sys, tapekey.service.told as told
        asked = set()
        get = told.Told.__init__
        class Facts(dict):
            def get(self, name): asked.add(name); return dict.get(self, name)
        from tapekey.cli import check, status
        drive = Facts(serial="HU1", state="empty")
        view = told.Told(Facts(drives=[drive]))
        list(status.lines(view, 0.0)), list(check.of_agent(view)), list(check.of_drives(view, (), 0.0))
        print(*asked)
    """
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    told = {each.name for each in (*fields(AgentView), *fields(DriveView))}
    assert set(done.stdout.split()) <= told

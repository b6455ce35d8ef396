"""The agent's own account, as its readers get it."""

import json

from tapekey.service import view
from tapekey.service.view import AgentView, DriveView, State


def test_a_view_is_plain_json_with_states_as_words() -> None:
    drive = DriveView("S1", "/dev/sg1", state=State.READY_TO_WRITE, guards=("drive",))
    told = view.as_json(AgentView("0.1", 1, 2.0, "/s", drives=(drive,), counters=(("alarms", 3),)))
    read = json.loads(json.dumps(told))
    assert read["drives"][0]["state"] == "ready to write"
    assert read["drives"][0]["guards"] == ["drive"]
    assert read["counters"] == {"alarms": 3}

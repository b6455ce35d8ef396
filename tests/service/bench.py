"""A drive of the rig in the hands of its worker, without the worker's thread: what one step of it is tried on."""

from contextlib import nullcontext
from typing import Any

from tapekey.service.alarms import Alarms
from tapekey.service.attentions import Attentive
from tapekey.service.door import Door
from tapekey.service.duties import Hands
from tapekey.service.inbox import Inbox
from tapekey.service.ledger import Ledger
from tapekey.service.own_nexus import OwnNexus
from tapekey.service.stopwatch import Stopwatch
from tapekey.service.visit import Visit
from tests.rig import Rig


def hands(bench: Rig, door: Door | None = None, **more: Any) -> Hands:
    """The shipped parts over the rig's own nexus, its attentions collected."""
    device = Attentive(bench.settled)
    return Hands(
        bench.serial,
        device,
        lambda: nullcontext(device),
        door or OwnNexus(device),
        bench.manager,
        Stopwatch(),
        Alarms(),
        bench.options(),
        bench.directory / "run",
        **more,
    )


def visit(bench: Rig, door: Door | None = None) -> Visit:
    """A drive that was not looked at yet."""
    return Visit(hands(bench, door), Ledger(bench.serial, "virtual:"), Inbox())

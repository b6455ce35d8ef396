"""Puts the agent together from the configuration, and takes it apart again in bounded time.

Leaving it changes nothing in any drive: whoever still waits for one then goes with the process.
"""

import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Final

from tapekey import config, host
from tapekey.discovery import watch
from tapekey.drive.in_library import Bay
from tapekey.errors import TransportFailed
from tapekey.keystore import database
from tapekey.manager.local import LocalManager
from tapekey.service import alerting, control, library_watch, metrics, nodes, notify, stopwatch, verbs, ways
from tapekey.service.agent import Agent
from tapekey.service.alarms import Alarms
from tapekey.service.drives import Drives, changers
from tapekey.service.identities import Identities
from tapekey.service.library_watch import Bays
from tapekey.service.nodes import Nodes
from tapekey.service.queueing import Line
from tapekey.service.rounds import Pace
from tapekey.service.verbs import Desk
from tapekey.service.worker import Company

STOPPING: Final = 8.0  # seconds that workers have to end
SETTLING: Final = 0.5  # seconds between looks at a drive that is waited for
MOUNTED: Final = 6  # times as long as for an empty drive
log = logging.getLogger(__name__)


@contextmanager
def running(settings: config.Config, manager: LocalManager, pace: Pace | None = None) -> Iterator[Agent]:
    """An agent with its workers and its socket; `agent.run` is its main loop."""
    given = settings.agent
    database.wait_longer(manager.store.engine, stopwatch.FILE_PATIENCE)
    with ExitStack() as stack:
        alerts = stack.enter_context(alerting.alerting(given.alert_command))
        opens = stack.enter_context(nodes.follow())
        alarms = Alarms(alerts.tell)
        drives = _drives(settings, manager, alarms, opens, pace or paced(given))
        agent = Agent(settings.store, manager, drives, alarms, opens)
        agent.notifier, agent.metrics_file = notify.from_environment(), given.metrics_file
        for end in agent.told:
            end.setblocking(False)
            stack.callback(end.close)
        desk = Desk(drives, agent.view, agent.hush, agent.reload)
        drives.begun = False
        given.runtime.mkdir(mode=0o755, parents=True, exist_ok=True)
        stack.enter_context(control.serving(given.socket, verbs.table(desk), given.askers))  # first: one agent a host
        stack.callback(_stop, drives)
        drives.serve(ways.of_uri(uri, settings) for uri in given.drives)
        if given.discover:
            _discover(agent, given.library_seconds, stack)
        drives.begun = True
        if given.metrics_port:
            stack.enter_context(metrics.serving(given.metrics_port, agent.view))
        yield agent


def paced(given: config.Agent) -> Pace:
    """As the configuration says; a mounted drive that nobody has open is looked at less often than an empty one."""
    often = given.empty_seconds
    return Pace(often, min(SETTLING, often), MOUNTED * often, given.quiet_seconds)


def _drives(settings: config.Config, manager: LocalManager, alarms: Alarms, opens: Nodes, pace: Pace) -> Drives:
    company = Company(manager, alarms, settings.agent.runtime, pace, Identities(), Line())
    return Drives(company, lambda found: ways.of_nodes(found, settings, opens))


def _discover(agent: Agent, spacing: float, stack: ExitStack) -> None:
    """Serve what udev tells of. Where it tells nothing (a container), that is said, and the rest is served."""
    try:
        found, agent.feed = stack.enter_context(watch.follow())
    except TransportFailed as error:
        log.warning("no drive of this host is discovered: %s", error)
        return
    agent.drives.begin(found)
    agent.watch_nodes()
    for changer in changers(found):
        _follow_library(agent, changer.path, spacing, stack)


def _follow_library(agent: Agent, path: str, spacing: float, stack: ExitStack) -> None:
    bays = Bays(lambda: host.open_node(path), spacing)
    agent.libraries[path] = bays

    def tell(bay: Bay) -> None:
        agent.drives.tell(bay, len(bays.known))

    stack.enter_context(library_watch.follow(bays, tell))


def _stop(drives: Drives) -> None:
    late = drives.stop(STOPPING)
    if late:
        log.warning("stopped while a command was on its way to %s: what is in these drives stays", ", ".join(late))

"""The agent's view as metrics for Prometheus: on a port of the loopback interface, or in a file for node_exporter.

Labels are serial numbers, states and guards; neither key ids nor cartridges, of which there are too many.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector

from tapekey.errors import Usage
from tapekey.service.view import AgentView, DriveView, State

GUARDS = ("drive", "parked", "gate", "hook", "watched")
LOOPBACK = "127.0.0.1"
View = Callable[[], AgentView]
# fmt: off
GAUGES: tuple[tuple[str, str, Callable[[DriveView], float]], ...] = (
    ("state_since_seconds", "When the drive came into its state, since 1970", lambda drive: drive.since),
    ("busy_since_seconds",  "When the operation on it began, since 1970; 0: none runs", lambda drive: drive.busy_since),
    ("alarm",               "1: somebody should look at the drive now", lambda drive: drive.alarm),
    ("encrypted",           "1: what is written now is encrypted", lambda drive: drive.encrypted),
    ("unaccounted",         "1: the mount's account is outstanding", lambda drive: not drive.accounted),
    ("next_job_fails",      "Reasons why the next job on the drive will fail", lambda drive: len(drive.prognosis)),
    ("mount_generation",    "Number of the mount", lambda drive: drive.generation),
)
TIMINGS: tuple[tuple[str, Callable[[DriveView], float]], ...] = (
    ("ready", lambda drive: drive.timing.ready),
    ("scsi", lambda drive: drive.timing.scsi),
    ("store", lambda drive: drive.timing.store),
    ("waiting", lambda drive: drive.timing.waiting),
)
# fmt: on


class Metrics(Collector):
    """Makes the metrics of a view each time that they are asked for."""

    def __init__(self, view: View) -> None:
        self._view = view

    def collect(self) -> Iterable[Metric]:
        """Every metric, from one view."""
        view = self._view()
        yield InfoMetricFamily("tapekey_agent", "The agent", {"version": view.version})
        yield GaugeMetricFamily("tapekey_agent_started_seconds", "When the agent started, since 1970", view.started)
        yield GaugeMetricFamily("tapekey_manager_up", "1: the key manager answers", float(not view.manager))
        yield from (
            CounterMetricFamily(f"tapekey_{name}", f"Events: {name.replace('_', ' ')}", value)
            for name, value in view.counters
        )
        yield _states(view)
        yield _guards(view)
        yield _timings(view)
        for name, text, value in GAUGES:
            family = GaugeMetricFamily(f"tapekey_drive_{name}", text, labels=("drive",))
            for drive in view.drives:
                family.add_metric((drive.serial,), float(value(drive)))
            yield family


def _states(view: AgentView) -> Metric:
    family = GaugeMetricFamily("tapekey_drive_state", "1 for the state of the drive", labels=("drive", "state"))
    for drive in view.drives:
        for state in State:
            family.add_metric((drive.serial, state.value), float(drive.state is state))
    return family


def _guards(view: AgentView) -> Metric:
    family = GaugeMetricFamily("tapekey_drive_guard", "1 for each guard that stands", labels=("drive", "guard"))
    for drive in view.drives:
        for guard in GUARDS:
            family.add_metric((drive.serial, guard), float(guard in drive.guards))
    return family


def _timings(view: AgentView) -> Metric:
    text = "The newest mount, from medium present to software may open, and what of it went where"
    family = GaugeMetricFamily("tapekey_drive_mount_seconds", text, labels=("drive", "part"))
    for drive in view.drives:
        for part, value in TIMINGS:
            family.add_metric((drive.serial, part), value(drive) / 1000)
    return family


@contextmanager
def serving(port: int, view: View) -> Iterator[int]:
    """Answer Prometheus on the loopback interface; gives the port."""
    try:
        server, thread = start_http_server(port, LOOPBACK, _registry(view))
    except OSError as error:
        why = error.strerror or str(error)
        raise Usage(f"cannot serve metrics on port {port}", why=why, mend="another agent.metrics_port") from error
    try:
        yield int(server.server_port)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def write(file: Path, view: View) -> None:
    """Put the metrics into a file: written beside and renamed, so that nobody reads half of it."""
    beside = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o644), "wb") as out:
            os.fchmod(out.fileno(), 0o644)  # the node exporter is another user
            out.write(generate_latest(_registry(view)))
        beside.rename(file)
    finally:
        beside.unlink(missing_ok=True)


def _registry(view: View) -> CollectorRegistry:
    registry = CollectorRegistry()
    registry.register(Metrics(view))
    return registry

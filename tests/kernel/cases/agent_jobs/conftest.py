"""The jobs' library is logged in to and the agent runs for all cases of this directory."""

import os
import subprocess
from collections.abc import Iterator

import pytest

from tapekey.discovery import sysfs
from tests.kernel.cases import simulated
from tests.kernel.cases.agent_jobs import house
from tests.kernel.cases.agent_jobs.house import Agent
from tests.kernel.cases.library import bench
from tests.kernel.cases.library.bench import Bench


@pytest.fixture(scope="package")
def jobs(request: pytest.FixtureRequest) -> Iterator[Bench]:
    """The library, with a keystore and both drives approved."""
    simulated.unload()
    port, _, line = request.config.getoption("--jobs").partition("/")
    found = bench.login(f"{bench.GATEWAY}:{port}", int(line), loss=60)
    house.set_up(found)
    yield found
    del os.environ["TAPEKEY_CONFIG"]
    subprocess.run(["iscsiadm", "-m", "node", "-T", found.name, "-p", found.portal, "--logout"], check=True)
    simulated.await_(lambda: not sysfs.scan(), "the library to go")


@pytest.fixture(scope="package")
def agent(jobs: Bench) -> Iterator[Agent]:
    with house.running() as made:
        for drive in range(len(jobs.drives)):
            made.await_state(house.serial_of(jobs, drive), "empty")
        yield made


@pytest.fixture(autouse=True)
def _told(agent: Agent) -> Iterator[None]:
    """What the agent logged in a case is shown with it if it fails."""
    yield
    print(agent.said(), agent.ask("status"), sep="\n")

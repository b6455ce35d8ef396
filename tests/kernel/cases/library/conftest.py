"""The library is logged in to for all cases of this directory, and gone for those of the others."""

import subprocess
from collections.abc import Iterator

import pytest

from tapekey.discovery import sysfs
from tests.kernel.cases import simulated
from tests.kernel.cases.library import bench
from tests.kernel.cases.library.bench import Bench


@pytest.fixture(scope="package")
def library(request: pytest.FixtureRequest) -> Iterator[Bench]:
    simulated.unload()
    port, _, line = request.config.getoption("--library").partition("/")
    found = bench.login(f"{bench.GATEWAY}:{port}", int(line))
    bench.make_keystore(found)
    yield found
    subprocess.run(["iscsiadm", "-m", "node", "-T", found.name, "-p", found.portal, "--logout"], check=True)
    simulated.await_(lambda: not sysfs.scan(), "the library to go")


@pytest.fixture(scope="module")
def second(library: Bench) -> Iterator[Bench]:
    """The same library for another initiator: a session by another name, with nodes of its own."""
    before = tuple(node.sg for node in sysfs.scan())
    iface = ("iscsiadm", "-m", "iface", "-I", "second", "-o")
    node = ("iscsiadm", "-m", "node", "-T", library.name, "-p", library.portal, "-I", "second")
    bench.run(*iface, "new")
    bench.run(*iface, "update", "-n", "iface.initiatorname", "-v", "iqn.2004-10.com.example:tapekey-second")
    bench.run(*node, "-o", "new")
    bench.run(*node, "--login")
    yield bench.bench(library.portal, library.name, library.line, before)
    bench.run(*node, "--logout")
    bench.run(*node, "-o", "delete")
    bench.run(*iface, "delete")
    simulated.await_(lambda: len(sysfs.scan()) == len(before), "the second session to go")

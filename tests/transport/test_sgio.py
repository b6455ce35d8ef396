"""What can be told without a device; tests/real and tests/kernel drive it against one."""

import sys

import pytest

from tapekey.errors import TimedOut, TransportFailed
from tapekey.exchange import Command
from tapekey.transport import sgio

TEST_UNIT_READY = Command(bytes(6))


def test_a_node_that_is_not_there_says_how_to_find_one() -> None:
    with pytest.raises(TransportFailed, match="No such file") as failed, sgio.open_device("/dev/sg-none"):
        pass
    assert "drive list" in failed.value.mend


def test_a_node_that_takes_no_scsi_commands_is_named() -> None:
    with sgio.open_device("/dev/null") as device, pytest.raises(TransportFailed, match="/dev/null") as failed:
        device.execute(TEST_UNIT_READY)
    assert "sg node" in failed.value.mend


def test_without_the_compiled_module_it_says_how_to_build_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tapekey.native", None)
    with pytest.raises(TransportFailed, match="not built") as failed, sgio.open_device("/dev/null"):
        pass
    assert "native/build.py" in failed.value.mend


# From include/scsi/sg.h and the midlayer's DID_ and DRIVER_ codes: (host, driver, target) and the error.
FAILURES = {
    "no connection": ((0x01, 0, 0), TransportFailed, "NO_CONNECT"),
    "host time-out": ((0x03, 0, 0), TimedOut, "did not answer"),
    "driver time-out": ((0, 0x06, 0), TimedOut, "did not answer"),
    "unknown host code": ((0x77, 0, 0), TransportFailed, "77h"),
    "driver error beside a good target": ((0, 0x04, 0), TransportFailed, "ERROR"),
    "host error outranks sense": ((0x07, 0x08, 2), TransportFailed, "host status ERROR"),
}


@pytest.mark.parametrize(("told", "kind", "words"), FAILURES.values(), ids=FAILURES)
def test_host_and_driver_status_are_failures_of_delivery(
    told: tuple[int, int, int], kind: type[TransportFailed], words: str
) -> None:
    device = sgio.Device("/dev/sg9", -1)
    with pytest.raises(kind, match=words):
        device._demand_delivery(TEST_UNIT_READY, *told)


@pytest.mark.parametrize("driver", [0x00, 0x08, 0x18])
def test_sense_data_beside_a_check_condition_is_the_targets_own_answer(driver: int) -> None:
    sgio.Device("/dev/sg9", -1)._demand_delivery(TEST_UNIT_READY, 0, driver, 2)

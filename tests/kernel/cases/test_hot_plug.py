"""Drives come and go while the watch looks: all of them are told, by what they say of themselves."""

import threading
import time
from collections.abc import Callable

import pytest

from tapekey import host
from tapekey.discovery import sysfs, watch
from tapekey.discovery.attachment import Link
from tapekey.discovery.watch import Came, Event, Feed, PowerOn, Went
from tapekey.errors import TapekeyError, TransportFailed
from tapekey.scsi import media
from tapekey.scsi.run import run
from tests.kernel.cases import simulated

MANY = 16


def test_sixteen_drives_that_come_at_once_are_all_known(record_property: Callable[[str, object], None]) -> None:
    simulated.load(0)
    with watch.follow() as (before, feed):
        started = time.monotonic()
        simulated.steer("add_host", MANY)
        known: dict[str, sysfs.Node] = {}
        while len(known) < MANY:
            for node in came(feed.wait(1.0)):
                sighting = host.sight(node)
                assert sighting.who, sighting.failed
                known[sighting.who.serial] = node
            assert time.monotonic() - started < simulated.PATIENCE, f"only {len(known)} are known"
        needed = time.monotonic() - started
    record_property("known after", f"{needed:.2f} s")  # 10 s are allowed
    assert before == ()
    assert {node.link for node in known.values()} == {Link.SCSI_DEBUG}


def test_every_drive_that_goes_is_told() -> None:
    nodes = simulated.load(MANY)
    with watch.follow() as (before, feed):
        simulated.steer("add_host", -MANY)
        told = collect(feed, lambda events: len(went(events)) == MANY)
    assert {node.sg for node in before} == went(told) == {node.sg for node in nodes}
    assert sysfs.scan() == ()


def test_each_sg_node_is_joined_with_its_own_tape_node() -> None:
    nodes = simulated.load(4)
    for node in nodes:
        assert node.nst is not None
        assert node.driver == "st"
        numbers = {(simulated.number_of(name)) for name in (f"scsi_generic/{node.sg}", f"scsi_tape/{node.nst}")}
        assert numbers == {node.hctl}


def test_drive_removed_in_mid_command_ends_it_with_a_typed_error() -> None:
    (node,) = simulated.load()
    ended: list[TapekeyError] = []
    with simulated.opened(node) as (device,):

        def ask() -> None:
            with pytest.raises(TransportFailed) as failure:
                run(simulated.Hasty(device, 5.0), media.test_unit_ready())
            ended.append(failure.value)

        simulated.steer("opts", simulated.TIME_OUT)
        simulated.steer("every_nth", 1)
        asking = threading.Thread(target=ask)
        asking.start()
        time.sleep(0.5)
        simulated.steer("add_host", -1)
        asking.join(simulated.PATIENCE)
        assert len(ended) == 1
        with pytest.raises(TransportFailed, match="gone"):
            run(device, media.test_unit_ready())
    assert sysfs.scan() == ()


def test_reset_is_told_as_power_on() -> None:
    (node,) = simulated.load()
    with simulated.opened(node) as (device,), watch.follow() as (_, feed):
        simulated.reset(node)
        simulated.calm(device)
        assert collect(feed, lambda events: PowerOn(node) in events)


def test_drives_that_stay_are_not_told_of_when_another_comes() -> None:
    (first,) = simulated.load()
    with watch.follow() as (before, feed):
        simulated.steer("add_host", 1)
        told = collect(feed, lambda events: len(came(events)) == 1)
    assert [node.sg for node in before] == [first.sg]
    assert first.sg not in {event.node.sg for event in told}


def came(events: list[Event]) -> list[sysfs.Node]:
    return [event.node for event in events if isinstance(event, Came)]


def went(events: list[Event]) -> set[str]:
    return {event.node.sg for event in events if isinstance(event, Went)}


def collect(feed: Feed, enough: Callable[[list[Event]], bool]) -> list[Event]:
    """What is told until it is enough."""
    told: list[Event] = []
    deadline = time.monotonic() + simulated.PATIENCE
    while not enough(told):
        assert time.monotonic() < deadline, f"told only {told}"
        told += feed.wait(0.5)
    return told

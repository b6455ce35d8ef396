"""How each drive is reached: from what udev tells, and from the URIs of the configuration."""

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace

from tapekey import config, host, wiring
from tapekey.discovery import st_mode
from tapekey.discovery.claims import Group, group
from tapekey.discovery.sysfs import Kind, Node
from tapekey.exchange import Transport
from tapekey.mount.options import Options
from tapekey.mount.options import Way as Network
from tapekey.service.door import Door
from tapekey.service.own_nexus import OwnNexus
from tapekey.service.tape_node import TapeNode
from tapekey.service.worker import Way
from tapekey.transport import tape_driver
from tapekey.transport.tape_driver import Opens


def of_uri(uri: str, settings: config.Config) -> Way:
    """A drive that this process reaches by itself."""
    link = wiring.link(uri)
    network = Network(link in config.CLEAR_LINKS, link == settings.allow_clear_key)
    options = Options(allow_virtual=settings.allow_virtual, way=network)
    return Way(uri, lambda: wiring.drive(uri), OwnNexus, lambda device, _: nullcontext(device), options)


def of_nodes(nodes: Iterable[Node], settings: config.Config, opens: Opens) -> tuple[Way, ...]:
    """The tape drives of this host, each once by whatever paths it has."""
    claims = tuple(host.remembered(node) for node in nodes if node.kind is Kind.DRIVE)
    return tuple(way for one in group(claims) for way in _of_group(one, settings, opens))


def _of_group(one: Group, settings: config.Config, opens: Opens) -> Iterator[Way]:
    """The first path of a drive; each device of a group that may not be used, so that all of them are shown."""
    for claim in one.claims if one.refused else one.claims[:1]:
        way = of_node(claim.node, settings, opens)
        yield replace(way, serial=claim.serial, naa=claim.naa, barred=one.refused)


def of_node(node: Node, settings: config.Config, opens: Opens) -> Way:
    """A drive by its node: through the kernel's tape driver where one is bound."""
    link = node.link.value
    network = Network(link in config.CLEAR_LINKS, link == settings.allow_clear_key)
    options = Options(allow_virtual=settings.allow_virtual, way=network)
    return Way(
        node.path,
        lambda: host.open_node(node.path),
        lambda device: _door(device, node.nst, settings.agent.empty_seconds, opens),
        _beside,
        options,
        node=f"/dev/{node.nst}" if node.nst else "",
        gate=node.nst is not None and settings.agent.gate,
    )


def _door(device: Transport, nst: str | None, pause: float, opens: Opens) -> Door:
    if nst is None:
        return OwnNexus(device)
    mode = st_mode.st_mode(nst)
    return TapeNode(f"/dev/{nst}", lambda: nullcontext(device), mode=mode, nodes=opens, pause=pause)


def _beside(device: Transport, door: Door) -> AbstractContextManager[Transport]:
    return tape_driver.beside(device, door) if isinstance(door, TapeNode) else nullcontext(device)

"""`tapekey agent`: the daemon that watches over the drives of this host."""

import logging
import os
from dataclasses import replace
from pathlib import Path

import click

from tapekey import config, wiring
from tapekey.cli.options import store_options
from tapekey.wiring import Access

AT_ONCE = 0  # exit status, when a worker still waits for a drive


@click.group()
def agent() -> None:
    """The daemon: run."""


@agent.command()
@click.option("--drive", "uris", multiple=True, metavar="URI", help="A drive beside those of the configuration.")
@click.option("--no-discover", is_flag=True, help="Serve only the drives that are named, not those of udev.")
@click.option("--runtime", type=click.Path(path_type=Path), help="Directory of the socket and of the drives' locks.")
@click.option("-v", "--verbose", is_flag=True, help="Log what happens, too, and not only what is wrong.")
@store_options
def run(access: Access, uris: tuple[str, ...], no_discover: bool, runtime: Path | None, verbose: bool) -> None:
    """Watch over the drives until told to end.

    Ending it, however that comes about, changes nothing in a drive with a cartridge in it: jobs go on.
    """
    from tapekey.service import agent as service
    from tapekey.service import composition, journal

    logging.basicConfig(level=logging.INFO if verbose else logging.WARNING, handlers=[journal.handler()])
    settings = _settings(access, uris, no_discover=no_discover, runtime=runtime)
    with (
        wiring.manager(access) as manager,
        composition.running(settings, manager) as running,
        service.signalled(running),
    ):
        service.run(running)
    logging.shutdown()
    os._exit(AT_ONCE)  # a thread that waits for a drive must not hold up the end


def _settings(access: Access, uris: tuple[str, ...], *, no_discover: bool, runtime: Path | None) -> config.Config:
    found = config.read()
    given = replace(
        found.agent,
        drives=(*found.agent.drives, *uris),
        discover=found.agent.discover and not no_discover,
        runtime=runtime or found.agent.runtime,
    )
    return replace(found, store=access.store, agent=given)

"""`tapekey scratch`: for the scripts of backup software, which know volumes by their barcodes."""

import click

from tapekey import wiring
from tapekey.cli.options import actor, store_options
from tapekey.wiring import Access


@click.command()
@click.argument("volser", nargs=-1, required=True)
@click.option(
    "--expired", is_flag=True, help="Also those that hold data: the backup software's catalogue says they may go."
)
@store_options
def scratch(access: Access, volser: tuple[str, ...], expired: bool) -> None:
    """Declare that the cartridges labelled VOLSER may be overwritten: each gets a new key at its next save.

    All of them, or none: one that was never seen, whose label several cartridges had, that is in use, or that holds
    data (without --expired) refuses them all.
    """
    from tapekey.manager.reuse import reuse

    with wiring.manager(access) as manager:
        for serial in reuse(manager.store, volser, by=actor(), expired=expired):
            click.echo(f"cartridge {serial} is scratch: what it holds will be overwritten")

"""`tapekey target`, of cartridges that lie in no drive: write-protect, age, damage."""

from pathlib import Path

import click

from tapekey.errors import Usage

cartridge_argument = click.argument("cartridge", type=click.Path(path_type=Path))


@click.command("write-protect")
@cartridge_argument
@click.option("--off", is_flag=True, help="Slide the tab back.")
def write_protect(cartridge: Path, off: bool) -> None:
    """Slide the write-protect tab of CARTRIDGE, which must not be in a drive."""
    from tapekey.target.cartridge import Cartridge, protect

    with Cartridge.open(cartridge):
        protect(cartridge, not off)
    click.echo(f"{cartridge} is {'writable' if off else 'write-protected'}")


@click.command()
@cartridge_argument
@click.option("--loads", type=int, help="How often it has been loaded (memory attribute 0003h).")
@click.option("--written", type=int, help="Bytes written in its life (0220h).")
@click.option("--read", type=int, help="Bytes read in its life (0221h).")
@click.option("--capacity", type=int, help="Bytes until the end of the tape: let it be nearly full, or short.")
def age(cartridge: Path, loads: int | None, written: int | None, read: int | None, capacity: int | None) -> None:
    """Let CARTRIDGE, which must not be in a drive, be older, or its tape shorter."""
    from tapekey.target import cartridge_wear

    if all(value is None for value in (loads, written, read, capacity)):
        raise Usage("how it ages is not said", mend="--loads, --written, --read or --capacity")
    cartridge_wear.age(cartridge, loads=loads, written=written, read=read)
    if capacity is not None:
        cartridge_wear.shorten(cartridge, capacity)
    click.echo(f"{cartridge} has aged")


@click.command()
@cartridge_argument
@click.option("--block", type=int, help="Damage this logical block.")
@click.option(
    "--bytes", "span", metavar="START:LENGTH", help="Damage these bytes of the file that stands for the tape."
)
@click.option("--partition", type=int, default=0, show_default=True)
def damage(cartridge: Path, block: int | None, span: str | None, partition: int) -> None:
    """Damage the tape of CARTRIDGE, which must not be in a drive."""
    from tapekey.target import cartridge_wear

    if (block is None) is (span is None):
        raise Usage("what to damage is not said", mend="--block N, or --bytes START:LENGTH")
    if block is not None:
        cartridge_wear.damage_block(cartridge, block, partition)
    else:
        cartridge_wear.damage_range(cartridge, *_span(str(span)), partition)
    click.echo(f"{cartridge} is damaged in {f'block {block}' if block is not None else f'bytes {span}'}")


def _span(text: str) -> tuple[int, int]:
    start, _, length = text.partition(":")
    if not (start.isascii() and start.isdigit() and length.isascii() and length.isdigit()):
        raise Usage(f"{text!r} is no range of bytes", mend="START:LENGTH")
    return int(start), int(length)

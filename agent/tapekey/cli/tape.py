"""`tapekey tape`: a file to the beginning of a tape, and back, where no backup software is at hand."""

import sys
from pathlib import Path

import click

from tapekey import wiring
from tapekey.cli.options import drive_argument, trace_option

BLOCK_LIMIT = 8 * 1024 * 1024


@click.group()
def tape() -> None:
    """Write a file to a tape, or read it back."""


block_option = click.option(
    "--block",
    type=click.IntRange(1, BLOCK_LIMIT),
    default=256 * 1024,
    show_default=True,
    help="Block size in bytes.",
)


@tape.command()
@drive_argument
@block_option
@click.option("--in-clear", "clear", is_flag=True, help="Even if a cartridge with an envelope is written in clear.")
@trace_option
def write(drive: str, block: int, clear: bool, trace: Path | None) -> None:
    """Write standard input from the beginning of the tape, closed by a filemark."""
    from tapekey.drive import data
    from tapekey.mount import in_clear

    with wiring.drive(drive, trace) as transport:
        if not clear:
            in_clear.refuse(transport)
        done = data.write(transport, sys.stdin.buffer, block=block)
    click.echo(f"{done.size} bytes in {_blocks(done.blocks)} written", err=True)


@tape.command()
@drive_argument
@block_option
@trace_option
def read(drive: str, block: int, trace: Path | None) -> None:
    """Read from the beginning of the tape up to the first filemark, to standard output."""
    from tapekey.drive import data

    with wiring.drive(drive, trace) as transport:
        done = data.read(transport, sys.stdout.buffer, block=block)
    sys.stdout.buffer.flush()
    click.echo(f"{done.size} bytes in {_blocks(done.blocks)} read", err=True)


def _blocks(count: int) -> str:
    return "1 block" if count == 1 else f"{count} blocks"

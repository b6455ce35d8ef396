"""Facts to text for people, or to JSON for programs. Values from outside are escaped before a terminal sees them."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import click

json_option = click.option("--json", "as_json", is_flag=True, help="Print the facts as JSON.")


def clean(value: object) -> str:
    """Text that cannot move a cursor or end a line: control and bidirectional characters are escaped."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in _words(value))


def _words(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)


def captions(facts: Mapping[str, object]) -> dict[str, object]:
    """The facts under the words that people read instead of JSON's names."""
    return {name.replace("_", " "): value for name, value in facts.items()}


def emit(schema: str, facts: Mapping[str, Any], as_json: bool, lines: Iterable[str]) -> None:
    """Print facts: as one JSON object that names its schema, or as lines."""
    if as_json:
        click.echo(json.dumps({"schema": f"tapekey.{schema}/1", **facts}, indent=2))
    else:
        for line in lines:
            click.echo(line)


def pairs(facts: Mapping[str, object]) -> list[str]:
    """`name  value` lines, aligned; empty values are left out."""
    shown = {name: text for name, value in facts.items() if (text := clean(value))}
    width = max((len(name) for name in shown), default=0)
    return [f"{name.ljust(width)}  {value}" for name, value in shown.items()]


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    """Aligned columns under a head; an empty table says so."""
    texts = [[clean(cell) for cell in row] for row in rows]
    if not texts:
        return ["none"]
    widths = [max(len(row[i]) for row in [list(head), *texts]) for i in range(len(head))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in [head, *texts]
    ]

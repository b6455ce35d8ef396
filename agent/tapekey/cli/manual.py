"""Manual pages from the commands themselves: one for `tapekey`, one for each noun. `python -m tapekey.cli.manual DIR`.

The macros are those of man(7): plain enough for groff, mandoc and man-db alike.
"""

import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import click

from tapekey.cli import root
from tapekey.cli.exit_status import ALARM, OTHERS, STATUSES

SECTION = "1"
FILES = (
    ("/etc/tapekey/tapekey.toml", "settings, where the defaults do not do"),
    ("/var/lib/tapekey", "root's keystore; $XDG_STATE_HOME/tapekey for others"),
)


def pages() -> dict[str, str]:
    """File name to content."""
    context = click.Context(root, info_name="tapekey", **root.context_settings)
    names = root.list_commands(context)
    made = {f"tapekey.{SECTION}": "\n".join(_root_page(context, names)) + "\n"}
    for name in names:
        command = root.get_command(context, name)
        assert command is not None
        made[f"tapekey-{name}.{SECTION}"] = "\n".join(_noun_page(context, name, command)) + "\n"
    return made


def write(directory: Path) -> None:
    """Put every page into a directory."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, content in pages().items():
        (directory / name).write_text(content)


def _root_page(context: click.Context, names: list[str]) -> Iterator[str]:
    yield from _head("tapekey", "keys for tape drives that encrypt in hardware")
    yield from _synopsis(context)
    yield ".SH DESCRIPTION"
    yield from _paragraphs(root.help or "")
    yield from _options(".SH OPTIONS", context)
    yield ".SH COMMANDS"
    for name in names:
        command = root.get_command(context, name)
        assert command is not None
        yield from _item(f"\\fBtapekey\\-{_text(name)}\\fR({SECTION})", command.get_short_help_str(200))
    yield ".SH EXIT STATUS"
    for status, text in _statuses().items():
        yield from _item(str(status), text)
    yield ".SH FILES"
    for name, text in FILES:
        yield from _item(f"\\fI{_text(name)}\\fR", text)


def _noun_page(parent: click.Context, name: str, command: click.Command) -> Iterator[str]:
    context = click.Context(command, info_name=name, parent=parent)
    yield from _head(f"tapekey-{name}", command.get_short_help_str(200))
    yield from _synopsis(context)
    yield ".SH DESCRIPTION"
    yield from _paragraphs(command.help or "")
    yield from _options(".SH OPTIONS", context)
    if isinstance(command, click.Group):
        yield ".SH COMMANDS"
        for verb in command.list_commands(context):
            below = command.get_command(context, verb)
            assert below is not None
            yield from _verb(click.Context(below, info_name=verb, parent=context))
    yield ".SH EXIT STATUS"
    yield f"As listed in \\fBtapekey\\fR({SECTION})."
    yield ".SH SEE ALSO"
    yield f"\\fBtapekey\\fR({SECTION})"


def _verb(context: click.Context) -> Iterator[str]:
    yield f".SS {_text(context.info_name or '')}"
    yield from _usage(context)
    yield ".PP"
    yield from _paragraphs(context.command.help or "")
    yield from _options(".PP", context)


def _head(name: str, summary: str) -> Iterator[str]:
    yield '.\\" made from the commands by tapekey.cli.manual'
    yield f'.TH "{_text(name.upper())}" {SECTION} "" "tapekey {_text(version("tapekey"))}" "tapekey"'
    yield ".nh"
    yield ".ad l"
    yield ".SH NAME"
    yield f"{_text(name)} \\- {_text(summary.rstrip('.'))}"


def _synopsis(context: click.Context) -> Iterator[str]:
    yield ".SH SYNOPSIS"
    yield from _usage(context)


def _usage(context: click.Context) -> Iterator[str]:
    pieces = " ".join(context.command.collect_usage_pieces(context))
    yield f"\\fB{_text(context.command_path)}\\fR {_text(pieces)}"


def _options(heading: str, context: click.Context) -> Iterator[str]:
    given = context.command.get_params(context) if heading.startswith(".SH") else context.command.params
    records = [record for each in given if (record := each.get_help_record(context)) and record[1]]
    if records:
        yield heading
    for names, text in records:
        yield from _item(f"\\fB{_text(names)}\\fR", text)


def _item(label: str, text: str) -> Iterator[str]:
    yield ".TP"
    yield label
    yield _line(text)


def _paragraphs(help: str) -> Iterator[str]:
    blocks = [" ".join(block.split()) for block in help.replace("\b", "").split("\n\n")]
    for place, block in enumerate(block for block in blocks if block):
        if place:
            yield ".PP"
        yield _line(block)


def _statuses() -> dict[int, str]:
    """Status to words; classes that share one share its line."""
    found: dict[int, list[str]] = {}
    for meaning in (*OTHERS, ALARM, *STATUSES.values()):
        texts = found.setdefault(meaning.status, [])
        if meaning.text not in texts:
            texts.append(meaning.text)
    return {status: "; ".join(found[status]) for status in sorted(found)}


def _line(text: str) -> str:
    """A line of running text: it may not begin as a request does."""
    safe = _text(text)
    return f"\\&{safe}" if safe[:1] in {".", "'"} else safe


def _text(text: str) -> str:
    return text.replace("\\", "\\e").replace("-", "\\-").replace("…", "...").replace('"', "\\(dq")


if __name__ == "__main__":
    write(Path(sys.argv[1]))

"""`tapekey config`: the defaults as a file, and whether what a file names is there."""

import json
from pathlib import Path

import click

from tapekey import config as settings
from tapekey.cli.failure import Verbs
from tapekey.cli.render import clean
from tapekey.errors import Malformed


@click.group(cls=Verbs)
def config() -> None:
    """The configuration: its defaults, and whether what it names is there."""


@config.command()
def defaults() -> None:
    """Print every setting with its default and what it is for, as a file."""
    click.echo("\n".join(as_toml(settings.Config(settings.default_store()))))


@config.command()
@click.argument("file", type=click.Path(path_type=Path), required=False)
def check(file: Path | None) -> None:
    """Open what the configuration names, and say everything that is wrong at once.

    The keystore is opened, drives and changers are asked who they are (INQUIRY), and nothing is changed. FILE is the
    system's configuration unless another is named.
    """
    from tapekey.cli import config_check

    path = file or settings.file_in_use()
    found, remarks = settings.read(path), list[str]()
    wrong = list(config_check.problems(found, remarks.append))
    for line in wrong:
        click.echo(f"wrong: {clean(line)}")
    for line in remarks:
        click.echo(f"note: {clean(line)}")
    if wrong:
        more = "thing is" if len(wrong) == 1 else "things are"
        raise Malformed(f"the configuration {path} does not hold", why=f"{len(wrong)} {more} wrong, see above")
    click.echo(f"{path if path.exists() else 'the defaults'}: nothing is wrong")


def as_toml(values: settings.Config) -> list[str]:
    """A configuration as lines of TOML, each setting under what it is for."""
    lines = ["# tapekey's settings. Remove what is to follow the defaults of a later version."]
    for name, setting in settings.SETTINGS.items():
        lines += ["", f"# {setting.purpose} ({setting.kind.words})", f"{name} = {_toml(getattr(values, name))}"]
    lines += ["", "[agent]"]
    for name, setting in settings.AGENT_SETTINGS.items():
        lines += [f"# {setting.purpose} ({setting.kind.words})", f"{name} = {_toml(getattr(values.agent, name))}", ""]
    return lines[:-1]


def _toml(value: object) -> str:
    """A value as TOML writes it: texts of both are escaped as JSON's are, but for DEL (TOML 1.0, "String")."""
    match value:
        case bool():
            return "true" if value else "false"
        case int() | float():
            return f"{value:g}"
        case tuple():
            return json.dumps(list(value), ensure_ascii=False)
        case _:
            return json.dumps("" if value is None else str(value), ensure_ascii=False)

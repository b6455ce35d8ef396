"""The one place where an error becomes text for people and an exit status."""

from collections.abc import Callable
from typing import IO, Any

import click

from tapekey.cli.render import clean
from tapekey.errors import TapekeyError


class Failure(click.ClickException):
    """A TapekeyError on its way out: what and why on one line, mend on the next."""

    def __init__(self, error: TapekeyError) -> None:
        from tapekey.cli.exit_status import status_of  # which a command that works does not need

        super().__init__(str(error))
        self.error = error
        self.exit_code = status_of(error)  # type: ignore[misc]

    def show(self, file: IO[Any] | None = None) -> None:
        click.echo(f"tapekey: {clean(self.error)}", err=True, file=file)
        if self.error.mend:
            click.echo(f"tapekey: try: {clean(self.error.mend)}", err=True, file=file)


class Verbs(click.Group):
    """A group that turns every TapekeyError into a Failure, once, here; its modules are imported when called."""

    def __init__(self, *args: Any, modules: dict[str, tuple[str, str]] | None = None, **more: Any) -> None:
        super().__init__(*args, **more)
        self.modules = modules or {}

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except TapekeyError as error:
            raise Failure(error) from error

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*self.modules, *super().list_commands(ctx)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in self.modules:
            return _load(cmd_name, self.modules[cmd_name][0])
        return super().get_command(ctx, cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        if not self.modules:
            return super().format_commands(ctx, formatter)
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in self.modules.items()])
        return None


def _load(name: str, module: str) -> click.Command:
    from importlib import import_module
    from keyword import iskeyword

    attribute = f"{name}_" if iskeyword(name) else name
    command: click.Command | Callable[..., Any] = getattr(import_module(f"tapekey.cli.{module}"), attribute)
    assert isinstance(command, click.Command)
    return command

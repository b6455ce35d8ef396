"""`tapekey audit`: the hash-chained log of what was done with keys."""

import click

from tapekey import wiring
from tapekey.cli.options import store_options
from tapekey.cli.render import clean, emit, json_option
from tapekey.wiring import Access


@click.group()
def audit() -> None:
    """The audit log."""


@audit.command()
@click.option("--after", default=0, help="Only lines behind this number.")
@click.option("--alarms", is_flag=True, help="Only alarms.")
@json_option
@store_options
def show(access: Access, after: int, alarms: bool, as_json: bool) -> None:
    """Show the audit log, oldest first."""
    from tapekey.keystore.store import audit_lines

    with wiring.manager(access) as manager:
        lines = audit_lines(manager.store, after=after, alarms_only=alarms)
    rows = [
        {"seq": line.seq, "time": line.time, "event": line.event, "alarm": line.alarm, "facts": dict(line.facts)}
        for line in lines
    ]
    text = [
        f"{line.seq:>6}  {line.time}  {'ALARM  ' if line.alarm else ''}{clean(line.event)}  "
        + " ".join(f"{name}={clean(value)}" for name, value in line.facts.items() if value not in (None, ""))
        for line in lines
    ]
    emit("audit", {"lines": rows}, as_json, text or ["none"])


@audit.command()
@json_option
@store_options
def verify(access: Access, as_json: bool) -> None:
    """Verify the chain from its first line to its head."""
    from tapekey.keystore.store import verify_audit

    with wiring.manager(access) as manager:
        count = verify_audit(manager.store)
    emit("audit-verify", {"lines": count, "good": True}, as_json, [f"{count} lines, the chain is whole"])

"""What `tapekey config check` tries: each thing that the configuration names, without changing any."""

import grp
import os
import pwd
import shutil
import socket
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tapekey import wiring
from tapekey.config import Config
from tapekey.errors import TapekeyError
from tapekey.service import alerting, asking
from tapekey.service.control_socket import LONGEST_PATH

Remark = Callable[[str], None]


def problems(settings: Config, remark: Remark) -> Iterator[str]:
    """Everything that is wrong, each in a line that names the setting; `remark` is told what could not be tried."""
    for trial in (_keys, _store, _chap, _runtime, _drives, _host, _alert, _metrics, _askers):
        yield from trial(settings, remark)


def _keys(settings: Config, remark: Remark) -> Iterator[str]:
    for name, file in (("key_file", settings.key_file), ("passphrase_file", settings.passphrase_file)):
        if file and (why := _not_private(file)):
            yield f"{name}: {file} {why}"


def _not_private(file: Path) -> str:
    """Why a file is not one that only its owner, who is root or we, may read; empty: it is."""
    try:
        found = file.stat()
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    if not stat.S_ISREG(found.st_mode):
        return "is no plain file"
    if found.st_mode & 0o077:
        return f"may be read by others (mode {found.st_mode & 0o777:o}); try: chmod 600 {file}"
    return "" if found.st_uid in (0, os.geteuid()) else "belongs to another user"


def _store(settings: Config, remark: Remark) -> Iterator[str]:
    access = wiring.configured(settings)
    if not wiring.opens(access):
        from tapekey.keystore import database

        remark(
            "the keystore was not opened: neither key_file nor passphrase_file is set; a credential of systemd may be"
        )
        with _trying("store") as wrong:
            database.existing(settings.store)
    else:
        with _trying("store") as wrong, wiring.manager(access):
            pass
    yield from wrong


@contextmanager
def _trying(name: str) -> Iterator[list[str]]:
    """Collect what goes wrong inside, as a line with its setting's name."""
    lines: list[str] = []
    try:
        yield lines
    except TapekeyError as error:
        lines.append(f"{name}: {error}" + (f"; try: {error.mend}" if error.mend else ""))


def _chap(settings: Config, remark: Remark) -> Iterator[str]:
    if settings.iscsi_chap_file:
        from tapekey.target import portal_access

        with _trying("iscsi_chap_file") as wrong:
            portal_access.chap(settings.iscsi_chap_file)
        yield from wrong


def _runtime(settings: Config, remark: Remark) -> Iterator[str]:
    place = settings.agent.runtime
    if len(os.fsencode(settings.agent.socket)) > LONGEST_PATH - 5:
        yield f"agent.runtime: {place} is too long for a socket in it"
    try:
        found = place.stat()
    except OSError as error:
        yield f"agent.runtime: {place}: {error.strerror}; try: systemd-tmpfiles --create"
        return
    if not stat.S_ISDIR(found.st_mode):
        yield f"agent.runtime: {place} is no directory"
    elif found.st_mode & stat.S_IWOTH:
        yield f"agent.runtime: anybody may write to {place}, and take the socket's place"
    elif not os.access(place, os.W_OK):
        yield f"agent.runtime: this user may not write to {place}"


def _drives(settings: Config, remark: Remark) -> Iterator[str]:
    from tapekey.drive import identity

    for uri in settings.agent.drives:
        with _trying(f"agent.drives: {uri}") as wrong, wiring.drive(uri, doubtful=True) as transport:
            identity.identify(transport)
        yield from wrong


def _host(settings: Config, remark: Remark) -> Iterator[str]:
    """The drives and changers that udev would tell of."""
    if not settings.agent.discover:
        return
    from tapekey import host
    from tapekey.discovery.sysfs import Kind, scan

    for drive in host.drives():
        for seen in drive.sightings:
            if drive.refused or seen.who is None:
                yield f"agent.discover: drive {seen.node.path}: {drive.refused or seen.failed}"
    for node in scan():
        if node.kind is Kind.CHANGER:
            with _trying(f"agent.discover: changer {node.path}") as wrong, host.open_node(node.path):
                pass
            yield from wrong


def _alert(settings: Config, remark: Remark) -> Iterator[str]:
    command = settings.agent.alert_command
    if command and not shutil.which(command[0], path=alerting.PATH):
        yield f"agent.alert_command: {command[0]} is no program that can be run"


def _metrics(settings: Config, remark: Remark) -> Iterator[str]:
    file, port = settings.agent.metrics_file, settings.agent.metrics_port
    if file and not (file.parent.is_dir() and os.access(file.parent, os.W_OK)):
        yield f"agent.metrics_file: {file.parent} is no directory that can be written to"
    if port:
        with socket.socket() as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                trial.bind(("127.0.0.1", port))
            except OSError as error:
                if _agent_runs(settings):
                    remark(f"agent.metrics_port: {port} is taken, by the agent that runs")
                else:
                    yield f"agent.metrics_port: {port}: {error.strerror}"


def _agent_runs(settings: Config) -> bool:
    with suppress(TapekeyError):
        asking.ask(settings.agent.socket, "status", timeout=5)
        return True
    return False


def _askers(settings: Config, remark: Remark) -> Iterator[str]:
    """Each has to exist, and to be in the group that may open the socket."""
    with suppress(OSError):
        group = settings.agent.runtime.stat().st_gid
        for name in settings.agent.askers:
            try:
                groups = os.getgrouplist(name, pwd.getpwnam(name).pw_gid)
            except KeyError:
                yield f"agent.askers: there is no user {name}"
                continue
            if group not in groups and pwd.getpwnam(name).pw_uid:
                yield f"agent.askers: {name} cannot reach the socket; try: usermod -a -G {_group(group)} {name}"


def _group(gid: int) -> str:
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)

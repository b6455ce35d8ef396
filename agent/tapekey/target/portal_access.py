"""Who may reach the portal: the address it listens on, and the file of CHAP names and secrets.

CHAP says who logs in and nothing else: what travels afterwards is in clear (RFC 7143 section 9.2). So a portal is
loopback's own unless somebody says otherwise.
"""

import ipaddress
import os
import re
import socket
import stat
from pathlib import Path
from typing import Final

from tapekey.errors import Usage
from tapekey.iscsi.config import Chap, Credential

PORT: Final = 3260
SHORTEST, LONGEST = 12, 255  # bytes of a secret: 96 bits at least (RFC 7143 section 12.1.3)
LARGEST_FILE: Final = 1 << 20
NAME: Final = re.compile(r"(iqn\.\d{4}-\d{2}\.[a-z0-9.:-]+|eui\.[0-9a-f]{16}|naa\.[0-9a-f]{16}([0-9a-f]{16})?)")
LONGEST_NAME: Final = 223
OWN: Final = "iqn.2026-11.invalid.tapekey"

Address = tuple[str, int]


def target_name(text: str) -> str:
    """An iSCSI name as given, or made from a serial number: of a domain that nobody has (RFC 2606)."""
    name = text.lower()
    if not name.startswith(("iqn.", "eui.", "naa.")):
        name = f"{OWN}:{re.sub('[^a-z0-9.:-]', '-', name)}"
    if not NAME.fullmatch(name) or len(name) > LONGEST_NAME:
        raise Usage(f"{text} is no iSCSI name", mend="such as iqn.2026-11.com.example:library")
    return name


def address(text: str) -> Address:
    """HOST, HOST:PORT or [V6]:PORT, as numbers."""
    found = re.fullmatch(r"(?:\[([^]]+)\]|([^:]*))(?::(\d{1,5}))?", text)
    if found is None or int(found[3] or 0) > 0xFFFF:
        raise Usage(f"{text} is no address", mend="such as 127.0.0.1:3260 or [::1]:3260")
    host, port = found[1] or found[2], PORT if found[3] is None else int(found[3])
    if not host:
        raise Usage(f"{text} names no host", mend="such as 127.0.0.1:3260")
    try:
        answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise Usage(f"{host} is no address of a host", why=str(error)) from error
    return str(answers[0][4][0]), port


def refuse_open(listen: Address, *, guarded: bool, allowed: bool) -> None:
    """Refuse to listen for other hosts without CHAP, unless that was said."""
    if guarded or allowed or ipaddress.ip_address(listen[0].partition("%")[0]).is_loopback:
        return
    raise Usage(
        f"not listening on {listen[0]}: any host could use the drives",
        why="there is no CHAP file",
        mend="give --chap FILE, or say --allow-open",
    )


def chap(path: Path) -> Chap:
    """Read a CHAP file that only its owner may read: `user:secret` a line, `mutual user:secret`, and comments."""
    users: dict[str, Credential] = {}
    target = None
    for number, line in enumerate(_private(path).splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        mutual, entry = line.startswith("mutual "), line.removeprefix("mutual ").strip()
        name, colon, secret = entry.partition(":")
        if not name or not colon or not SHORTEST <= len(secret.encode()) <= LONGEST:
            raise _bad(path, number, f"a line is user:secret, the secret of {SHORTEST} to {LONGEST} bytes")
        if target is not None if mutual else name in users:
            raise _bad(path, number, "it says again what a line before it has said")
        credential = Credential(name, secret.encode())
        if mutual:
            target = credential
        else:
            users[name] = credential
    if not users:
        raise Usage(f"the CHAP file {path} names no initiator", mend="one user:secret a line")
    if target is not None and any(user.secret == target.secret for user in users.values()):
        raise Usage(f"the CHAP file {path} has one secret for both directions", mend="choose another for mutual")
    return Chap(tuple(users.values()), target)


def _bad(path: Path, number: int, why: str) -> Usage:
    return Usage(f"line {number} of the CHAP file {path} cannot be used", why=why)


def _private(path: Path) -> str:
    try:
        with open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK)) as file:
            state = os.fstat(file.fileno())
            if not stat.S_ISREG(state.st_mode) or state.st_mode & 0o077:
                raise Usage(f"the CHAP file {path} is open to others", mend=f"chmod 600 {path}")
            return file.read(LARGEST_FILE).decode()
    except (OSError, UnicodeDecodeError) as error:
        raise Usage(f"the CHAP file {path} cannot be read", why=str(error)) from error

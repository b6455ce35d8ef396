"""Names of logical units behind iSCSI: iscsi://host:port/target-name/lun (libiscsi's URL, without its password).

A URI is typed, listed by ps, kept in shell histories, in the keystore and in its audit log. So it has no place for a
secret: one that carries a user or a password is refused, and the refusal does not repeat it.
"""

import re
from dataclasses import dataclass
from typing import Final

from tapekey.errors import Usage

SCHEME: Final = "iscsi://"
PORT: Final = 3260  # RFC 7143, 14: iscsi-target
LAST_LUN: Final = 255  # single level, peripheral addressing (SAM-5, 4.7.7.2)
HIGHEST_PORT: Final = 65535
HOST: Final = re.compile(r"\[(?P<bracketed>[0-9A-Fa-f:.]+)\]|(?P<plain>[0-9A-Za-z._-]+)")
TARGET: Final = re.compile(r"(iqn|eui|naa)\.[0-9A-Za-z.:_-]{1,219}")  # RFC 7143, 4.2.7.1: at most 223 bytes
MEND: Final = "give iscsi://HOST[:PORT]/TARGET-NAME/LUN"


@dataclass(frozen=True, slots=True)
class Address:
    """Where a logical unit is. Prints as its URI."""

    host: str
    port: int
    target: str
    lun: int

    @property
    def portal(self) -> str:
        """HOST:PORT, with the brackets that an IPv6 address needs."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def __str__(self) -> str:
        return f"{SCHEME}{self.portal}/{self.target}/{self.lun}"


def parse(uri: str) -> Address:
    """Take a URI apart. Usage: it is none, or it carries credentials."""
    rest = uri.removeprefix(SCHEME)
    if rest == uri:
        raise Usage("this is no iSCSI URI", mend=MEND)
    if "@" in rest:
        raise Usage(
            "an iSCSI URI carries a user or a password",
            why="what is typed as a name is seen by everybody on this host, and kept in histories and logs",
            mend="put both into a file: TAPEKEY_ISCSI_CHAP_FILE, or iscsi_chap_file in tapekey.toml",
        )
    portal, _, place = rest.partition("/")
    target, _, lun = place.rpartition("/")
    host, port = _portal(portal, uri)
    if not TARGET.fullmatch(target.lower()):
        raise Usage(f"{uri} names no target", why="a target's name begins with iqn., eui. or naa.", mend=MEND)
    return Address(host, port, target.lower(), _number(lun, LAST_LUN, uri, "LUN"))


def _portal(portal: str, uri: str) -> tuple[str, int]:
    found = HOST.match(portal)
    if not found:
        raise Usage(f"{uri} names no host", mend=MEND)
    after = portal[found.end() :]
    if after and not after.startswith(":"):
        raise Usage(f"{uri} names no host", mend=MEND)
    return found["bracketed"] or found["plain"], _number(after[1:], HIGHEST_PORT, uri, "port") if after else PORT


def _number(text: str, highest: int, uri: str, what: str) -> int:
    if not re.fullmatch(r"[0-9]{1,5}", text) or int(text) > highest:
        raise Usage(f"{uri} has no {what} from 0 to {highest}", mend=MEND)
    return int(text)

"""The configuration file, read once into one frozen value. Its values, not itself, are handed down."""

import os
import tomllib
from dataclasses import dataclass, fields, replace
from pathlib import Path

from tapekey.errors import Malformed

SYSTEM_FILE = Path("/etc/tapekey/tapekey.toml")
CLEAR_LINKS = ("iscsi",)
KINDS: dict[str, type] = {
    "store": str,
    "allow_virtual": bool,
    "allow_clear_key": str,
    "iscsi_chap_file": str,
    "iscsi_initiator_name": str,
}


@dataclass(frozen=True, slots=True)
class Config:
    """Every setting with its default.

    store                 directory of the keystore
    allow_virtual         virtual drives may be used under `require` without --allow-virtual
    allow_clear_key       "iscsi": keys may cross the network in clear to a drive that takes no wrapped key
    iscsi_chap_file       names and secrets for iscsi:// URIs, in a file that only its owner may read
    iscsi_initiator_name  this host's name for iscsi:// URIs; else open-iscsi's, else one made from the host's name
    """

    store: Path
    allow_virtual: bool = False
    allow_clear_key: str = ""
    iscsi_chap_file: Path | None = None
    iscsi_initiator_name: str = ""


def default_store(environ: dict[str, str] | None = None) -> Path:
    """/var/lib/tapekey for root, the user's state directory otherwise (XDG Base Directory)."""
    env = os.environ if environ is None else environ
    if os.geteuid() == 0:
        return Path("/var/lib/tapekey")
    home = env.get("XDG_STATE_HOME") or os.path.join(env.get("HOME", "/"), ".local/state")
    return Path(home) / "tapekey"


def read(path: Path = SYSTEM_FILE) -> Config:
    """The settings of a TOML file over the defaults; an absent file is all defaults, an unknown name is refused."""
    settings: dict[str, object] = {}
    try:
        settings = tomllib.loads(path.read_text())
    except FileNotFoundError:
        pass
    except (OSError, ValueError) as error:
        raise Malformed(f"cannot read the configuration {path}", why=str(error), mend="correct or remove it") from error
    unknown = settings.keys() - {field.name for field in fields(Config)}
    if unknown:
        raise Malformed(f"{path} has settings that do not exist", why=", ".join(sorted(unknown)), mend="remove them")
    wrong = sorted(name for name, value in settings.items() if not isinstance(value, KINDS[name]))
    if wrong:
        told = ", ".join(f"{name} is {'true or false' if KINDS[name] is bool else 'text'}" for name in wrong)
        raise Malformed(f"{path} has a setting of the wrong type", why=told)
    found = Config(**{"store": default_store(), **settings})  # type: ignore[arg-type]
    if found.allow_clear_key not in ("", *CLEAR_LINKS):
        raise Malformed(
            f"{path} allows clear keys on no known link", why=f"allow_clear_key = {found.allow_clear_key!r}"
        )
    chap = Path(found.iscsi_chap_file) if found.iscsi_chap_file else None
    return replace(found, store=Path(found.store), iscsi_chap_file=chap)

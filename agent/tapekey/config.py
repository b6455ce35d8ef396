"""The configuration file, read once into one frozen value. Its values, not itself, are handed down."""

import os
import tomllib
from dataclasses import dataclass, fields
from pathlib import Path

from tapekey.errors import Malformed

SYSTEM_FILE = Path("/etc/tapekey/tapekey.toml")


@dataclass(frozen=True, slots=True)
class Config:
    """Every setting with its default.

    store          directory of the keystore
    allow_virtual  virtual drives may be used under `require` without --allow-virtual
    """

    store: Path
    allow_virtual: bool = False


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
    store, virtual = settings.get("store", str(default_store())), settings.get("allow_virtual", False)
    if not isinstance(store, str) or not isinstance(virtual, bool):
        raise Malformed(f"{path} has a setting of the wrong type", why="store is text, allow_virtual true or false")
    return Config(Path(store), virtual)

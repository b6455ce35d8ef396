"""The configuration file, read once into one frozen value. Its values, not itself, are handed down."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tapekey.errors import Malformed

SYSTEM_FILE = Path("/etc/tapekey/tapekey.toml")
FILE_VARIABLE = "TAPEKEY_CONFIG"  # another file, for who runs an agent of his own
CLEAR_LINKS = ("iscsi",)


@dataclass(frozen=True, slots=True)
class Agent:
    """The table `[agent]`: each setting with its default; SETTINGS says what each is for."""

    runtime: Path = Path("/run/tapekey")
    drives: tuple[str, ...] = ()
    discover: bool = True
    gate: bool = True
    empty_seconds: float = 5.0
    library_seconds: float = 10.0
    quiet_seconds: float = 1.0
    metrics_port: int = 0
    metrics_file: Path | None = None
    alert_command: tuple[str, ...] = ()
    askers: tuple[str, ...] = ()

    @property
    def socket(self) -> Path:
        """Where the agent is asked."""
        return self.runtime / "agent.sock"


@dataclass(frozen=True, slots=True)
class Config:
    """Every setting with its default."""

    store: Path
    key_file: Path | None = None
    passphrase_file: Path | None = None
    allow_virtual: bool = False
    allow_clear_key: str = ""
    iscsi_chap_file: Path | None = None
    iscsi_initiator_name: str = ""
    agent: Agent = Agent()


@dataclass(frozen=True, slots=True)
class Kind:
    """What a value has to be: in words for people, as a test of what TOML gave, and what it becomes."""

    words: str
    fits: Callable[[object], bool]
    made: Callable[[Any], object]


def _is_text(value: object) -> bool:
    return type(value) is str


def _are_texts(value: object) -> bool:
    return type(value) is list and all(type(one) is str and one for one in value)


def _path(value: str) -> Path | None:
    return Path(value) if value else None


def _seconds(least: float, most: float) -> Kind:
    return Kind(
        f"seconds from {least:g} to {most:g}",
        lambda value: type(value) in (int, float) and least <= float(str(value)) <= most,
        float,
    )


TEXT: Final = Kind("text", _is_text, str)
PLACE: Final = Kind("the name of a directory, as text", lambda value: _is_text(value) and bool(value), Path)
FILE: Final = Kind('the name of a file, as text ("": none)', _is_text, _path)
YES: Final = Kind("true or false", lambda value: type(value) is bool, bool)
TEXTS: Final = Kind('a list of texts, such as ["a", "b"]', _are_texts, tuple)
PORT: Final = Kind("0, or a port from 1024 to 65535", lambda n: type(n) is int and (n == 0 or 1024 <= n <= 65535), int)
PROM: Final = Kind(
    'the name of a file that ends in .prom ("": none)', lambda value: value == "" or str(value).endswith(".prom"), _path
)
LINK: Final = Kind('"" or "iscsi"', lambda value: value in ("", *CLEAR_LINKS), str)


@dataclass(frozen=True, slots=True)
class Setting:
    """One line of the file: its kind, and what it is for."""

    kind: Kind
    purpose: str


# fmt: off
SETTINGS: Final[Mapping[str, Setting]] = {
    "store":                Setting(PLACE, "directory of the keystore"),
    "key_file":             Setting(FILE,  "opens the keystore where no option says what does: 32 random bytes"),
    "passphrase_file":      Setting(FILE,  "the same, with a passphrase on its first line"),
    "allow_virtual":        Setting(YES,   "virtual drives may be used under `require` without --allow-virtual"),
    "allow_clear_key":      Setting(LINK,  '"iscsi": keys may go in clear to a drive that takes no wrapped key'),
    "iscsi_chap_file":      Setting(FILE,  "names and secrets for iscsi:// URIs; only its owner may read it"),
    "iscsi_initiator_name": Setting(TEXT,  "this host's name for iscsi:// URIs; else open-iscsi's, else one made up"),
}
AGENT_SETTINGS: Final[Mapping[str, Setting]] = {
    "runtime":         Setting(PLACE, "directory of the agent's socket, agent.sock, and of the locks of its drives"),
    "drives":          Setting(TEXTS, "URIs of drives beside those that udev tells of"),
    "discover":        Setting(YES,   "serve the drives that udev tells of"),
    "gate":            Setting(YES,   "hold a drive's tape node until its key is verified"),
    "empty_seconds":   Setting(_seconds(0.05, 3600), "how often an empty drive is looked at if nobody tells of loads"),
    "library_seconds": Setting(_seconds(10, 3600), "how often a changer is asked what is in its drives"),
    "quiet_seconds":   Setting(_seconds(0.05, 60), "how long nobody has a drive open before its account is taken"),
    "metrics_port":    Setting(PORT,  "metrics for Prometheus on this port of 127.0.0.1; 0: none"),
    "metrics_file":    Setting(PROM,  "metrics for the textfile collector of Prometheus's node exporter"),
    "alert_command":   Setting(TEXTS, "program and arguments to run for each alarm; no shell is between"),
    "askers":          Setting(TEXTS, "users that may ask for keys and unloads, beside root and the agent's own"),
}
# fmt: on


def default_store(environ: Mapping[str, str] | None = None) -> Path:
    """/var/lib/tapekey for root, the user's state directory otherwise (XDG Base Directory)."""
    env = os.environ if environ is None else environ
    if os.geteuid() == 0:
        return Path("/var/lib/tapekey")
    home = env.get("XDG_STATE_HOME") or os.path.join(env.get("HOME", "/"), ".local/state")
    return Path(home) / "tapekey"


def file_in_use(environ: Mapping[str, str] | None = None) -> Path:
    """The file that is read when none is named: the system's, or the one that the environment names."""
    return Path((os.environ if environ is None else environ).get(FILE_VARIABLE) or SYSTEM_FILE)


def read(path: Path | None = None) -> Config:
    """The settings of a TOML file over the defaults; an absent file is all defaults, an unknown name is refused."""
    path = path or file_in_use()
    given = _parsed(path)
    table = given.pop("agent", {})
    if not isinstance(table, dict):
        raise Malformed(f"{path} has a setting of the wrong type", why="agent is a table: [agent]")
    _refuse_mistakes(path, given, table)
    agent = Agent(**_made(AGENT_SETTINGS, table))  # type: ignore[arg-type]
    return Config(**{"store": default_store(), **_made(SETTINGS, given), "agent": agent})  # type: ignore[arg-type]


def _made(settings: Mapping[str, Setting], given: Mapping[str, object]) -> dict[str, object]:
    return {name: settings[name].kind.made(value) for name, value in given.items()}


def _parsed(path: Path) -> dict[str, object]:
    try:
        text = path.read_text()
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise Malformed(f"cannot read the configuration {path}", why=str(error), mend="correct or remove it") from error
    import tomllib  # a host without a file does without

    try:
        return tomllib.loads(text)
    except ValueError as error:
        raise Malformed(f"cannot read the configuration {path}", why=str(error), mend="correct or remove it") from error


def _refuse_mistakes(path: Path, given: Mapping[str, object], table: Mapping[str, object]) -> None:
    """Say every unknown name and every wrong value at once, each with its name."""
    known = dict(SETTINGS) | {f"agent.{name}": setting for name, setting in AGENT_SETTINGS.items()}
    found = {**given, **{f"agent.{name}": value for name, value in table.items()}}
    unknown = sorted(found.keys() - known)
    if unknown:
        mend = "remove them; `tapekey config defaults` shows those that exist"
        raise Malformed(f"{path} has settings that do not exist", why=", ".join(unknown), mend=mend)
    wrong = [f"{name} is {known[name].kind.words}" for name, value in found.items() if not known[name].kind.fits(value)]
    if wrong:
        raise Malformed(f"{path} has a setting of the wrong type or range", why=", ".join(wrong))

"""What a virtual drive's directory says of it: the file `drive`, replaced as a whole."""

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

from tapekey.errors import Malformed, Usage
from tapekey.target.memory import read_checked, replace_checked
from tapekey.target.modes import Key
from tapekey.target.personality import PERSONALITIES, Management, Personality, replace
from tapekey.target.reservations import NOTHING, Kept
from tapekey.target.tray import Place

FILE: Final = "drive"


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("true or false is wanted")
    return value


def _limit(value: object) -> int | None:
    if value is not None and (not isinstance(value, int) or value < 1):
        raise ValueError("a positive number or null is wanted")
    return value


def _seconds(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 86_400:
        raise ValueError("seconds up to a day are wanted")
    return float(value)


def _management(value: object) -> Management:
    return value if isinstance(value, Management) else Management(value)


# The rows of a personality that may be turned on a drive that exists.
KNOBS: Final[Mapping[str, Callable[[object], object]]] = {
    "management": _management,
    "load_time": _seconds,
    "unload_time": _seconds,
    "cleaning_time": _seconds,
    "wrong_key_limit": _limit,
    "mam_vendor_range": _flag,
    "mam_outlives_cartridge": _flag,
    "tape_alert": _flag,
    "read_ahead_knows": _flag,
    "kad_flags_checked": _flag,
    "kad_size_latent": _flag,
    "log_sense_reports_attention": _flag,
    "writes_require_encryption": _flag,
    "takes_key_when_empty": _flag,
    "locks": _flag,
    "external_hides_security": _flag,
}


@dataclass(frozen=True, slots=True)
class Description:
    """What a drive keeps without power."""

    personality: Personality
    serial: str
    naa: bytes
    cartridge: Path | None = None
    place: Place = Place.EMPTY
    saved_modes: Mapping[Key, bytes] = field(default_factory=dict)
    reservations: Kept = NOTHING  # those made with APTPL
    element: int | None = None  # its address in the library whose directory is around it

    @classmethod
    def load(cls, directory: Path) -> Self:
        """Read the description of the drive in a directory."""
        try:
            return cls(**_decode(read_checked(directory / FILE, FILE)))  # type: ignore[arg-type]
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            mend = "make one with: tapekey target create DIR --personality NAME"
            raise Malformed(f"{directory} is not a virtual drive", why=str(error), mend=mend) from error

    def save(self, directory: Path) -> None:
        """Replace the description, durably."""
        replace_checked(directory / FILE, FILE, _encode(self))

    def with_knobs(self, knobs: Mapping[str, object]) -> Self:
        """The same drive with some knobs turned."""
        return dataclasses.replace(self, personality=replace(self.personality, **_parsed(knobs)))

    def with_contents(
        self, cartridge: Path | None, place: Place, saved: Mapping[Key, bytes], reservations: Kept
    ) -> Self:
        """The same drive with what is in it now."""
        return dataclasses.replace(
            self, cartridge=cartridge, place=place, saved_modes=dict(saved), reservations=reservations
        )


def _parsed(knobs: Mapping[str, object]) -> dict[str, object]:
    parsed = {}
    for name, value in knobs.items():
        if name not in KNOBS:
            raise Usage(f"the virtual drive has no knob {name}", mend=f"there are {', '.join(sorted(KNOBS))}")
        try:
            parsed[name] = KNOBS[name](value)
        except ValueError as error:
            raise Usage(f"the knob {name} cannot be set to {value!r}", why=str(error)) from error
    return parsed


def _encode(drive: Description) -> object:
    standard = PERSONALITIES[drive.personality.name]
    turned = {name: getattr(drive.personality, name) for name in KNOBS}
    if replace(standard, **turned) != drive.personality:
        raise ValueError("a personality may differ from its table only by its knobs")
    knobs = {name: value for name, value in turned.items() if value != getattr(standard, name)}
    return {
        "personality": drive.personality.name,
        "knobs": {name: value.value if isinstance(value, Management) else value for name, value in knobs.items()},
        "serial": drive.serial,
        "naa": drive.naa.hex(),
        "cartridge": str(drive.cartridge) if drive.cartridge else None,
        "place": drive.place.value,
        "saved_modes": {f"{page:02x}/{sub:02x}": image.hex() for (page, sub), image in drive.saved_modes.items()},
        **({} if drive.reservations == NOTHING else {"reservations": dataclasses.asdict(drive.reservations)}),
        **({} if drive.element is None else {"element": drive.element}),
    }


def _decode(content: object) -> dict[str, object]:
    if not isinstance(content, dict):
        raise TypeError("the description holds no object")
    inside = content["cartridge"]
    saved = {}
    for name, image in content["saved_modes"].items():
        page, _, subpage = name.partition("/")
        saved[int(page, 16), int(subpage, 16)] = bytes.fromhex(image)
    return {
        "personality": replace(PERSONALITIES[content["personality"]], **_parsed(content["knobs"])),
        "serial": content["serial"],
        "naa": bytes.fromhex(content["naa"]),
        "cartridge": Path(inside) if inside else None,
        "place": Place(content["place"]),
        "saved_modes": saved,
        "reservations": Kept(**content.get("reservations", {})),
        "element": content.get("element"),
    }

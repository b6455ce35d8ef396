"""The published envelope vectors: each case with the key it is tried with and what must come of it."""

import json
from dataclasses import dataclass
from pathlib import Path

VECTORS = Path(__file__).parent / "envelope"


@dataclass(frozen=True, slots=True)
class Case:
    """`opens_to` is (key id, data key) in hex; exactly one of it and `error` is set."""

    name: str
    data: bytes
    key: str
    serial: str | None
    opens_to: tuple[str, str] | None
    error: str | None

    @property
    def outcome(self) -> str:
        return self.error or " ".join(self.opens_to or ())


def cases() -> dict[str, Case]:
    """Both files' cases by name."""
    found = {}
    for file, field in (("full", "envelope"), ("brief", "kad")):
        for raw in json.loads((VECTORS / f"{file}.json").read_text())["cases"]:
            opens = raw.get("opens_to")
            found[f"{file}: {raw['name']}"] = Case(
                raw["name"],
                bytes.fromhex(raw[field]),
                raw["key"],
                raw.get("medium_serial"),
                (opens["key_id"], opens["data_key"]) if opens else None,
                raw.get("error"),
            )
    return found

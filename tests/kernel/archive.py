"""The Debian archive as this machine's own apt reaches it: no address is written down here."""

from pathlib import Path
from typing import Final

from tests.kernel.cache import Unavailable, run

KEYRING: Final = "/usr/share/keyrings/debian-archive-keyring.gpg"


def own_suite() -> str:
    """The codename of the Debian release that this machine runs."""
    lines = dict(line.split("=", 1) for line in Path("/etc/os-release").read_text().splitlines() if "=" in line)
    suite = lines.get("VERSION_CODENAME", "").strip('"')
    if lines.get("ID") != "debian" or not suite:
        raise Unavailable("the guest is built from this machine's own Debian release, and this is no Debian release")
    return suite


def mirror() -> str:
    """The address of the archive that apt takes this machine's release from."""
    query = ("apt-get", "indextargets", "--format", "$(SITE) $(RELEASE)", "Created-By: Packages", "Component: main")
    for line in run(*query).splitlines():
        site, _, release = line.partition(" ")
        if release == own_suite():
            return site
    raise Unavailable(f"apt knows no source for {own_suite()} on this machine")


def separate_apt(place: Path, suite: str) -> list[str]:
    """Options for an apt of its own that knows this suite only, so that this machine's sources stay as they are."""
    for needed in ("lists/partial", "archives/partial"):
        (place / needed).mkdir(parents=True)
    (place / "status").touch()
    (place / "sources.list").write_text(f"deb [arch=amd64 signed-by={KEYRING}] {mirror()} {suite} main\n")
    settings = {
        "Dir::Etc::SourceList": place / "sources.list",
        "Dir::Etc::SourceParts": "/dev/null",
        "Dir::State": place,
        "Dir::State::status": place / "status",
        "Dir::Cache": place,
        "APT::Sandbox::User": "root",
        "APT::Update::Error-Mode": "any",
    }
    options = [word for name, value in settings.items() for word in ("-o", f"{name}={value}")]
    run("apt-get", *options, "-qq", "update")
    return options

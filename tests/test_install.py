"""`make install` into a directory: what lies where, that it runs from there, and how it is replaced and removed."""

import os
import re
import shutil
import subprocess
import sysconfig
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tapekey.errors import AgentMissing
from tapekey.service import asking
from tapekey.service.told import Told
from tests.stories.transcript import telling

ROOT = Path(__file__).parents[1]
VERSIONS = "usr/local/lib/tapekey"
LAUNCHER = "usr/local/bin/tapekey"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """DESTDIR. The locked dependencies are left to the interpreter's own packages: nothing is fetched."""
    place = tmp_path_factory.mktemp("destdir")
    environment = {**os.environ, "DEPENDENCIES": "none"}
    command = ["make", "--no-print-directory", "install", f"DESTDIR={place}"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return place


def home(installed: Path) -> Path:
    """The directory of the version in use."""
    return (installed / LAUNCHER).resolve().parents[1]


def test_every_file_is_in_its_place(installed: Path) -> None:
    files = {str(path.relative_to(installed)) for path in installed.rglob("*") if path.is_file()}
    assert {
        "usr/local/bin/tapekey",
        "usr/local/share/man/man1/tapekey.1",
        "usr/local/share/man/man1/tapekey-drive.1",
        "usr/local/share/bash-completion/completions/tapekey",
        "usr/local/share/zsh/site-functions/_tapekey",
        "usr/local/share/fish/vendor_completions.d/tapekey.fish",
        "usr/lib/udev/rules.d/61-tapekey.rules",
        "usr/lib/sysusers.d/tapekey.conf",
        "usr/lib/tmpfiles.d/tapekey.conf",
        "usr/lib/systemd/system/tapekey-agent.service",
        "usr/local/share/man/man1/tapekey-agent.1",
        "usr/local/share/tapekey/uninstall.sh",
        "usr/local/share/tapekey/udev/72-tapekey-private.rules",
    } <= files


def test_what_is_opt_in_is_not_in_force(installed: Path) -> None:
    assert [path.name for path in (installed / "usr/lib/udev/rules.d").iterdir()] == ["61-tapekey.rules"]


def test_no_file_knows_where_it_was_put_together(installed: Path) -> None:
    knowing = [
        path
        for path in installed.rglob("*")
        if path.is_file() and not path.is_symlink() and str(installed).encode() in path.read_bytes()
    ]
    assert knowing == []


def test_it_runs_from_there_with_its_own_package(installed: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": sysconfig.get_path("purelib"), "PYTHONDONTWRITEBYTECODE": "1"}
    program = (
        "import sys, tapekey, tapekey.native; from tapekey.cli import run; print(tapekey.__file__); run(['--version'])"
    )
    python = home(installed) / "bin/python"
    done = subprocess.run(
        [python, "-c", program], env=environment, cwd="/", capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    file, version = done.stdout.splitlines()
    assert file.startswith(str(home(installed)))
    assert re.fullmatch(r"tapekey \d+\.\d+\.\d+", version)


def test_the_launcher_trusts_neither_environment_nor_home(installed: Path) -> None:
    launcher = (installed / LAUNCHER).resolve()
    assert launcher.read_text().splitlines()[0] == f"#!/{home(installed).relative_to(installed)}/bin/python -I"
    assert launcher.stat().st_mode & 0o777 == 0o755


def test_the_launcher_is_of_its_version_and_leads_there_wherever_it_is_moved(installed: Path) -> None:
    assert re.fullmatch(r"\.\./lib/tapekey/0\.1\.0-[0-9a-f]{8}/bin/tapekey", os.readlink(installed / LAUNCHER))


def test_the_unit_starts_what_was_installed(installed: Path) -> None:
    unit = (installed / "usr/lib/systemd/system/tapekey-agent.service").read_text()
    assert "\nExecStart=/usr/local/bin/tapekey agent run --verbose\n" in unit
    assert "@" not in re.sub(r"modprobe@|@[a-z-]+", "", unit)


# --- an agent whose program is replaced, and programs that are removed ---


@dataclass(frozen=True, slots=True)
class Host:
    """An installation that may be changed, and a drive with its store."""

    place: Path
    destdir: Path

    def script(self, name: str, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """install.sh or uninstall.sh on this installation."""
        own = {"DESTDIR": str(self.destdir), "DEPENDENCIES": "none", "TAPEKEY_CONFIG": str(self.place / "t.toml")}
        command = [str(ROOT / name), *words]
        done = subprocess.run(
            command, env={**os.environ, **own, **environment}, capture_output=True, text=True, timeout=120, check=False
        )
        self.depend()
        return done

    def copied(self, place: Path) -> "Host":
        """The same with programs of its own."""
        shutil.copytree(self.destdir, place / "destdir", symlinks=True)
        return Host(self.place, place / "destdir")

    def depend(self) -> None:
        """Let each version find the dependencies, which are not installed with it."""
        for packages in self.destdir.glob(f"{VERSIONS}/*/lib/python3*/site-packages"):
            (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib"))

    @contextmanager
    def agent(self) -> Iterator[subprocess.Popen[bytes]]:
        """The agent of the version in use, as its unit starts it."""
        launcher = (self.destdir / LAUNCHER).resolve()
        command = [str(launcher.parent / "python"), "-I", str(launcher), "agent", "run"]
        with subprocess.Popen(command, env={"TAPEKEY_CONFIG": str(self.place / "t.toml")}) as running:
            try:
                yield running
            finally:
                running.terminate()
                running.wait(20)

    def drive(self, until: Callable[[Told, Told], bool]) -> tuple[Told, Told]:
        """What the agent says of itself and of the drive, once it is so."""
        deadline = time.monotonic() + 60
        while True:
            try:
                view = Told(asking.ask(self.place / "run/agent.sock", "status"))
                (drive,) = view.several("drives") or [Told({})]
                if until(view, drive):
                    return view, drive
            except AgentMissing:
                pass
            assert time.monotonic() < deadline
            time.sleep(0.02)


@pytest.fixture(scope="module")
def host(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """One that is looked at; what changes it changes a copy of its programs."""
    tmp_path = tmp_path_factory.mktemp("host")
    found = Host(tmp_path, tmp_path / "destdir")
    shutil.copytree(installed, found.destdir, symlinks=True)
    found.depend()
    (tmp_path / "run").mkdir()
    (tmp_path / "t.toml").write_text(f"""
        store = "{tmp_path}/ks"
        key_file = "{tmp_path}/root.key"
        allow_virtual = true
        [agent]
        runtime = "{tmp_path}/run"
        drives = ["virtual:{tmp_path}/drv"]
        discover = false
        empty_seconds = 0.05
        quiet_seconds = 0.05
    """)
    k = "--store ks --key-file root.key"
    with telling(tmp_path) as teller:
        for line in (
            "umask 077; head -c 32 /dev/urandom > root.key",
            f"tapekey keystore init --unsafe-single-copy {k}",
            f"tapekey rule add --default --require {k}",
            "tapekey target create drv --personality ibm-lto6 --serial DRIVE00001",
            "tapekey cartridge create tape --generation lto6 --barcode ENC001L6",
            "tapekey target serve drv &",
            f"tapekey drive approve virtual:{tmp_path}/drv --allow-virtual {k}",
            "tapekey target insert drv tape",
        ):
            status, said = teller.run(line)
            assert status == 0, said
        yield found


def newer(installed: Path, place: Path) -> Path:
    """The same program as a wheel of version 0.1.1."""
    (packages,) = home(installed).glob("lib/python3*/site-packages")
    wheel = place / "tapekey-0.1.1-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path in sorted(packages.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts and path.name != "dependencies.pth":
                name, content = str(path.relative_to(packages)), path.read_bytes()
                if "dist-info" in name:
                    name, content = name.replace("0.1.0", "0.1.1"), content.replace(b"0.1.0", b"0.1.1")
                archive.writestr(name, content)
    return wheel


def keyed(version: str) -> Callable[[Told, Told], bool]:
    return lambda view, drive: (view.text("version"), drive.text("state")) == (version, "ready to write")


def mount(drive: Told) -> tuple[str, float, float]:
    return drive.text("key"), drive.number("counter"), drive.number("generation")


def test_a_mount_outlives_an_upgrade_and_a_rollback(host: Host, tmp_path: Path) -> None:
    wheel, changed = newer(host.destdir, tmp_path), host.copied(tmp_path)
    with changed.agent() as old:
        before = mount(changed.drive(keyed("0.1.0"))[1])
        upgrade = changed.script("install.sh", WHEEL=str(wheel))
        assert "0.1.1" in upgrade.stdout, upgrade.stderr
        assert old.poll() is None
        assert mount(changed.drive(keyed("0.1.0"))[1]) == before
    with changed.agent():
        assert mount(changed.drive(keyed("0.1.1"))[1]) == before
        again = changed.script("install.sh", WHEEL=str(wheel))
        assert (again.returncode, "in use already" in again.stdout) == (0, True)
    assert changed.script("install.sh", "back").returncode == 0
    with changed.agent():
        assert mount(changed.drive(keyed("0.1.0"))[1]) == before


def test_without_a_former_version_there_is_no_way_back(host: Host) -> None:
    done = host.script("install.sh", "back")
    assert (done.returncode, done.stderr) == (1, "install: there is no version to go back to\n")


def test_uninstalling_knows_a_closed_drive_from_the_keystore(host: Host) -> None:
    refused = host.script("uninstall.sh", "--keep-keys")
    assert (refused.returncode, "these drives are closed: DRIVE00001" in refused.stderr) == (1, True)


def test_uninstalling_leaves_nothing_but_what_is_the_administrators(host: Host, tmp_path: Path) -> None:
    changed = host.copied(tmp_path)
    done = changed.script("uninstall.sh", "--keep-keys", "--keep-closed")
    assert done.returncode == 0, done.stderr
    assert not [path for path in changed.destdir.rglob("*") if path.is_file() or path.is_symlink()]
    assert (host.place / "ks/keystore.db").exists()

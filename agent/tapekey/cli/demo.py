"""`tapekey demo`: the main job on a virtual drive, told as a story. Every line with $ is a command to be typed."""

import os
import secrets
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree

import click

from tapekey.errors import TapekeyError

PIECE = 16  # bytes of the file that are looked for on the medium
PATIENCE = 60.0
VOLSER = "ENC001L6"


class DemoFailed(TapekeyError):
    """A step of the story did not come out as it should."""


@click.command()
@click.option("--keep", type=click.Path(path_type=Path), help="Work in this new directory, and leave it behind.")
def demo(keep: Path | None) -> None:
    """Run the main job on a virtual drive and tell it as a story."""
    began = time.monotonic()
    if keep:
        keep.mkdir(parents=True)
        _tell(Stage(keep))
    else:
        with tempfile.TemporaryDirectory(prefix="tapekey-demo-") as place:
            _tell(Stage(Path(place)))
    _say(f"All of it held. {time.monotonic() - began:.0f} seconds.")


@dataclass(frozen=True, slots=True)
class Stage:
    """The directory in which the story plays, and how its commands are run."""

    place: Path

    def run(self, command: str, *, source: str = "", sink: str = "", show: int = 40) -> str:
        """Show a command, run it as a process of its own, and show what it says."""
        click.echo(f"  $ tapekey {command}" + (f" < {source}" if source else "") + (f" > {sink}" if sink else ""))
        with open(self.place / source if source else os.devnull, "rb") as given:
            done = subprocess.run(
                [*_tapekey(), *command.split()],
                cwd=self.place,
                env=_environment(self.place),
                stdin=given,
                capture_output=True,
                timeout=PATIENCE,
                check=False,
            )
        if sink:
            (self.place / sink).write_bytes(done.stdout)
        said = ("" if sink else done.stdout.decode()) + done.stderr.decode()
        for line in said.splitlines()[:show]:
            click.echo(f"    {line}"[:150])
        if done.returncode:
            raise DemoFailed(f"tapekey {command} failed", why=f"exit status {done.returncode}")
        return said

    @contextmanager
    def powered(self, drive: str) -> Iterator[None]:
        """A virtual drive, powered on in a process of its own."""
        click.echo(f"  $ tapekey target serve {drive} &")
        command = [*_tapekey(), "target", "serve", drive]
        with subprocess.Popen(
            command, cwd=self.place, env=_environment(self.place), stdout=subprocess.PIPE, text=True
        ) as served:
            assert served.stdout is not None
            click.echo(f"    {served.stdout.readline().rstrip()}")
            try:
                yield
            finally:
                served.terminate()
                served.wait(PATIENCE)


def _tapekey() -> list[str]:
    return [sys.executable, "-m", "tapekey"]


def _environment(place: Path) -> dict[str, str]:
    return {**os.environ, "XDG_STATE_HOME": str(place), "TERM": "dumb"}


def _say(text: str) -> None:
    click.echo(f"\n{text}")


def _tell(stage: Stage) -> None:
    _prepare(stage)
    with stage.powered("drive"):
        _save(stage)
        _search(stage)
        _lose_and_restore(stage)


def _prepare(stage: Stage) -> None:
    size = _pack(stage.place / "backup.tar")
    root_key = os.open(stage.place / "root.key", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    os.write(root_key, secrets.token_bytes(32))
    os.close(root_key)
    _say(f"1. A backup is due: backup.tar, {size} bytes of documentation. There is no key yet, and no place for one.")
    _say("   The recovery key is made first: its private half belongs into a safe. The partner makes a key likewise.")
    stage.run("recipient generate x25519 recovery.key")
    stage.run("recipient generate x25519 partner.key")
    _say("   The keystore opens with root.key, and will not use a key that exists only once.")
    stage.run("keystore init --store keys --key-file root.key --recovery-recipient recovery.key.pub")
    stage.run("recipient add partner --public-key partner.key.pub --store keys --key-file root.key")
    _say("2. The rule: whatever is labelled ENC… is encrypted, or not written at all.")
    stage.run("rule add ENC* --require --recipient site --recipient partner --store keys --key-file root.key")
    _say("3. A drive and a cartridge. Both are virtual, and say so; the drive encrypts as an IBM LTO-6 does.")
    stage.run("target create drive --personality ibm-lto6")
    stage.run(f"cartridge create cartridge --generation lto6 --barcode {VOLSER}")


def _save(stage: Stage) -> None:
    stage.run("target insert drive cartridge")
    stage.run("drive approve virtual:drive --allow-virtual --store keys --key-file root.key")
    _say(
        "4. Save: a random key for this cartridge, committed, wrapped, carried, read back, and only then in the drive."
    )
    stage.run("save virtual:drive --allow-virtual --store keys --key-file root.key")
    stage.run("tape write virtual:drive", source="backup.tar")
    _say("5. What stands in the drive, and what the cartridge carries in its memory.")
    stage.run("drive status virtual:drive --store keys --key-file root.key")
    stage.run("cartridge show virtual:drive")
    stage.run("unload virtual:drive --store keys --key-file root.key")


def _search(stage: Stage) -> None:
    looked, size = search(stage.place / "backup.tar", stage.place / "cartridge")
    _say(
        f"6. Is anything on the tape in clear? {looked} pieces of the file were looked for in {size} bytes: none found."
    )


def _lose_and_restore(stage: Stage) -> None:
    rmtree(stage.place / "keys")
    (stage.place / "root.key").unlink()
    (stage.place / "recovery.key").unlink()
    _say("7. The disaster: keystore, root key and recovery key are gone. What is left: the cartridge, and partner.key.")
    stage.run("restore virtual:drive --identity partner.key --allow-virtual")
    stage.run("tape read virtual:drive", sink="restored.tar")
    if (stage.place / "restored.tar").read_bytes() != (stage.place / "backup.tar").read_bytes():
        raise DemoFailed("the restored file differs from the saved one")
    _say("8. restored.tar and backup.tar are the same, byte for byte.")


def _pack(file: Path) -> int:
    """A real file to save: this checkout's documentation, or the program itself where there is none."""
    package = Path(__file__).parents[1]
    docs = package.parents[1] / "docs"
    with tarfile.open(file, "w") as archive:
        archive.add(docs if docs.is_dir() else package, arcname="docs")
    return file.stat().st_size


def search(file: Path, cartridge: Path) -> tuple[int, int]:
    """Look for every piece of a file in all that is recorded on a virtual tape; DemoFailed if one is found."""
    content = file.read_bytes()
    pieces = {content[at : at + PIECE] for at in range(0, len(content) - PIECE, PIECE)}
    telling = [piece for piece in pieces if len(set(piece)) > PIECE // 4]
    size = 0
    for part in cartridge.glob("*.log"):
        stored = part.read_bytes()
        size += len(stored)
        found = next((piece for piece in telling if piece in stored), None)
        if found is not None:
            raise DemoFailed("a piece of the file is on the tape in clear", why=f"in {part}")
    return len(telling), size

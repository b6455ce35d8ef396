"""A wrapped changer command: its own words, output and end stay; what is loaded is keyed before the caller goes on."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tapekey import wiring
from tapekey.errors import Refused, TapekeyError, TimedOut
from tapekey.scsi.changer_status import DriveName
from tapekey.scsi.vital import CodeSet, DesignatorType
from tests.cli.agent_line import Line, answering
from tests.drive.test_in_library import Changer, element
from tests.stories.transcript import Teller, telling

K = "--store ks --key-file root.key"
SCENE = f"""
umask 077; head -c 32 /dev/urandom > root.key
tapekey recipient generate x25519 recovery.key
tapekey keystore init {K} --recovery-recipient recovery.key.pub
tapekey rule add ENC* --require --guard hook {K}
tapekey target create drv --personality ibm-lto6 --serial DRIVE00001
tapekey cartridge create tape --generation lto6 --barcode ENC001L6
tapekey target insert drv tape
tapekey target serve drv &
tapekey drive approve virtual:drv --allow-virtual {K}
printf '#!/bin/sh\\necho "$@" >>called\\nexit $(cat status)\\n' > mtx-changer; chmod +x mtx-changer; echo 0 > status
"""
SERIAL = DriveName(CodeSet.ASCII, DesignatorType.VENDOR_SPECIFIC, b"DRIVE00001")
OTHER = DriveName(CodeSet.ASCII, DesignatorType.VENDOR_SPECIFIC, b"DRIVE00002")


class Scene:
    """A served drive with a cartridge, a keystore, a changer that tells what `changer` has, and its command."""

    def __init__(self, teller: Teller) -> None:
        self.teller = teller
        self.changer = Changer([element(256, full=True, barcode="ENC001L6", name=SERIAL)])

    def run(self, command: str) -> str:
        status, said = self.teller.run(command)
        assert status == 0, said
        return said

    def hook(self, words: str, options: str = "--allow-virtual") -> tuple[int, str]:
        return self.teller.run(f"tapekey hook changer {options} {K} -- {self.teller.place}/mtx-changer {words}")

    @property
    def called(self) -> list[str]:
        file = self.teller.place / "called"
        return file.read_text().splitlines() if file.exists() else []

    @property
    def state(self) -> str:
        return self.run(f"tapekey drive status virtual:drv {K}")


@contextmanager
def standing(place: Path, patch: pytest.MonkeyPatch, lines: str) -> Iterator[Scene]:
    with telling(place) as teller:
        made = Scene(teller)
        for line in lines.strip().splitlines():
            made.run(line)
        patch.setattr(wiring, "drive", beside(wiring.drive, made))
        yield made


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    with standing(tmp_path, monkeypatch, SCENE) as made:
        yield made


def beside(others: Callable[..., Any], scene: Scene) -> Callable[..., Any]:
    """The scene's changer as /dev/changer, beside every other device."""

    @contextmanager
    def drive(uri: str, *words: Any, **more: Any) -> Iterator[Any]:
        if uri == "/dev/changer":
            yield scene.changer
            return
        with others(uri, *words, **more) as transport:
            yield transport

    return drive


LOAD = "/dev/changer load 1 virtual:drv 0 ENC001L6"
UNLOAD = "/dev/changer unload 1 virtual:drv 0"


def test_loaded_cartridge_is_keyed_when_the_command_returns(scene: Scene) -> None:
    assert scene.hook(LOAD) == (0, "")
    assert scene.called == [LOAD]
    assert "encryption mode            ENCRYPT" in scene.state
    assert "owner                      ours" in scene.state


def test_account_is_taken_before_the_command_unloads(scene: Scene) -> None:
    scene.hook(LOAD)
    scene.run("tapekey tape write virtual:drv < root.key")
    assert scene.hook(UNLOAD) == (0, "")
    assert scene.called == [LOAD, UNLOAD]
    events = scene.run(f"tapekey audit show {K}")
    assert "accounted" in events
    assert "DISABLE" in scene.state


@pytest.mark.parametrize("status", [1, 7])
def test_load_that_failed_sets_no_key_and_ends_as_it_ended(scene: Scene, status: int) -> None:
    scene.run(f"echo {status} > status")
    assert scene.hook(LOAD) == (status, "")
    assert "encryption mode            DISABLE" in scene.state


@pytest.mark.parametrize(
    "words", ["/dev/changer loaded 1 virtual:drv 0", "/dev/changer slots", "/dev/changer list", ""]
)
def test_other_commands_are_passed_on_as_they_are(scene: Scene, words: str) -> None:
    scene.run("echo 3 > status")
    scene.changer = Changer([])  # which nobody is to ask
    assert scene.hook(words) == (3, "")
    assert scene.called == [words]


def test_load_fails_when_the_cartridge_can_be_made_ready_for_nothing(scene: Scene) -> None:
    status, said = scene.hook(LOAD, options="")
    assert status == 100
    assert "the drive is a virtual one" in said
    assert "encryption mode            DISABLE" in scene.state


def test_cartridge_that_may_not_be_written_is_made_ready_for_reading(scene: Scene) -> None:
    scene.run("tapekey tape write virtual:drv < root.key")
    status, said = scene.hook(LOAD)
    assert status == 0
    assert "for reading only: cannot save to cartridge ENC001L6" in said
    assert "it holds clear data" in said
    assert "writes require encryption  yes" in scene.state


def test_drive_that_is_not_the_librarys_is_refused(scene: Scene) -> None:
    scene.changer = Changer([element(256, full=True, barcode="ENC001L6", name=OTHER)])
    status, said = scene.hook(LOAD)
    assert status == 109
    assert "is not the library's drive number 0" in said
    assert "encryption mode            DISABLE" in scene.state


def test_barcode_of_the_changer_is_a_vote(scene: Scene) -> None:
    scene.changer = Changer([element(256, full=True, barcode="XYZ001L6", name=SERIAL)])
    status, said = scene.hook(LOAD)
    assert status == 101
    assert "name different volumes" in said


def test_account_that_cannot_be_taken_keeps_no_cartridge_in(scene: Scene) -> None:
    scene.changer = Changer([])
    status, said = scene.hook(UNLOAD)
    assert status == 0
    assert "no account was taken: the library has no drive number 0" in said
    assert scene.called == [UNLOAD]


def test_load_that_names_no_drive_is_refused_before_anything_moves(scene: Scene) -> None:
    status, said = scene.hook("/dev/changer load 1")
    assert status == 1
    assert "does not say which drive" in said
    assert scene.called == []


def test_program_that_is_not_there_is_told(scene: Scene) -> None:
    assert scene.teller.run(f"tapekey hook changer {K} -- ./none {LOAD}")[0] == 127


# --- where an agent runs ---

BARE = """
tapekey target create drv --personality ibm-lto6 --serial DRIVE00001
tapekey target serve drv &
""" + SCENE.splitlines()[-1]
READY = {"phase": "ready to write", "drive": "DRIVE00001", "why": "it is blank"}


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    """A drive and a changer command without any keystore: the agent has it."""
    with standing(tmp_path, monkeypatch, BARE) as made:
        yield made


@pytest.fixture
def line(bare: Scene) -> Iterator[Line]:
    with answering(bare.teller.place, ready=READY) as made:
        yield made


def test_agent_makes_the_loaded_drive_ready_and_is_told_what_the_library_says(bare: Scene, line: Line) -> None:
    assert bare.hook(LOAD) == (0, "")
    assert line.verbs == ["moving", "ready"]
    asked = line.asked[1][1]
    assert asked["drive"] == f"virtual:{bare.teller.place}/drv"
    assert (asked["volsers"], asked["intent"], asked["loaded"]) == (["ENC001L6"], "", True)


def unmoved(bare: Scene) -> Callable[[Mapping[str, object]], Mapping[str, object]]:
    """An agent that fails when the changer command was called before it was asked."""

    def answer(_: Mapping[str, object]) -> Mapping[str, object]:
        assert bare.called == []
        return {}

    return answer


def test_changer_is_announced_before_it_moves(bare: Scene, line: Line) -> None:
    line.says["moving"] = unmoved(bare)
    assert bare.hook(LOAD)[0] == 0
    assert line.asked[0][1]["changer"] == "/dev/changer"


def test_drive_that_can_only_be_read_is_a_success_that_says_so(bare: Scene, line: Line) -> None:
    line.says["ready"] = {**READY, "phase": "ready to read", "why": "it holds clear data"}
    assert bare.hook(LOAD) == (0, "tapekey: for reading only: it holds clear data\n")


WRONG = {
    "silence": (TimedOut("the drive is not ready in time"), 33),
    "a refusal": (Refused("cannot save", why="a rule says no"), 100),
    "an alarm": (Refused("cannot save", why="an envelope differs", alarm=True), 101),
    "a fault of its own": (TapekeyError("the agent met a fault of its own"), 99),
    "another drive": ({**READY, "drive": "DRIVE00002"}, 109),
    "no word for ready": ({**READY, "phase": "working"}, 106),
    "an empty answer": ({}, 106),
}


@pytest.mark.parametrize(("said", "status"), WRONG.values(), ids=WRONG)
def test_load_fails_with_all_that_is_no_word_for_ready(bare: Scene, line: Line, said: Any, status: int) -> None:
    line.says["ready"] = said
    assert bare.hook(LOAD)[0] == status
    assert bare.called == [LOAD]


def test_agent_that_does_not_know_of_the_move_lets_nothing_be_moved(bare: Scene, line: Line) -> None:
    line.says["moving"] = TapekeyError("the agent met a fault of its own")
    assert bare.hook(LOAD)[0] == 99
    assert bare.called == []


def test_wrong_drive_is_never_asked_for(bare: Scene, line: Line) -> None:
    bare.changer = Changer([element(256, full=True, barcode="ENC001L6", name=OTHER)])
    assert bare.hook(LOAD)[0] == 109
    assert bare.hook(UNLOAD)[0] == 0
    assert line.verbs == ["moving", "moving"]


def test_agent_takes_the_account_before_the_command_unloads(bare: Scene, line: Line) -> None:
    line.says["unload"] = unmoved(bare)
    assert bare.hook(UNLOAD) == (0, "")
    assert line.verbs == ["moving", "unload"]
    assert bare.called == [UNLOAD]


@pytest.mark.parametrize("verb", ["moving", "unload"])
def test_agent_in_trouble_keeps_no_cartridge_in(bare: Scene, line: Line, verb: str) -> None:
    line.says[verb] = TimedOut("the agent did not answer in time")
    status, said = bare.hook(UNLOAD)
    assert (status, bare.called) == (0, [UNLOAD])
    assert "no account was taken: the agent did not answer in time" in said

"""The library as udev, `mtx` and `tapekey drive list` show it."""

import json
import os
from pathlib import Path

from tapekey.discovery.attachment import Link
from tapekey.discovery.sysfs import Kind
from tests.kernel.cases.library.bench import Bench, program, run


def links(node: str) -> set[str]:
    return {str(link) for link in Path("/dev/tape").glob("by-*/*") if os.path.realpath(link) == node}


def test_drives_and_changer_have_lasting_names(library: Bench) -> None:
    stem = f"/dev/tape/by-path/ip-{library.portal}-iscsi-{library.name}-lun-"
    assert f"{stem}0-changer" in links(library.changer.path)
    for number, drive in enumerate(library.drives, start=1):
        serial = drive.serial_page[4:].decode().strip()
        assert {f"{stem}{number}", f"/dev/tape/by-id/scsi-{serial}"} <= links(f"/dev/{drive.st}")
        assert {f"{stem}{number}-nst", f"/dev/tape/by-id/scsi-{serial}-nst"} <= links(f"/dev/{drive.nst}")
    assert "/dev/tape/by-id/scsi-KERNELLIB0" in links(library.changer.path)


def test_nodes_are_joined_to_one_library(library: Bench) -> None:
    assert library.changer.kind is Kind.CHANGER
    assert {drive.changer for drive in library.drives} == {library.changer.sg}
    assert {drive.link for drive in library.drives} == {Link.ISCSI}
    assert [drive.driver for drive in (library.changer, *library.drives)] == ["ch", "st", "st"]


def test_drives_are_listed_with_why_they_are_not_trusted(library: Bench) -> None:
    done = program("drive", "list", "--json")
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)["drives"]
    assert [row["where"] for row in rows] == [drive.path for drive in library.drives]
    assert {row["changer"] for row in rows} == {library.changer.path}
    assert all("attached by iscsi" in row["why"] for row in rows)


def test_mtx_shows_what_is_where(library: Bench) -> None:
    shown = library.mtx("status")
    assert "2 Drives, 26 Slots ( 2 Import/Export )" in shown
    assert "Data Transfer Element 0:Empty" in shown
    assert "Storage Element 1:Full :VolumeTag=ENC001L8" in shown
    with library.loaded(1, 1):
        shown = library.mtx("status")
        assert "Data Transfer Element 1:Full (Storage Element 1 Loaded):VolumeTag = ENC001L8" in shown
        assert "Storage Element 1:Empty" in shown


def test_mtx_is_told_what_cannot_be_moved(library: Bench) -> None:
    with library.loaded(1, 0):
        for words in (("load", "1", "1"), ("load", "2", "0"), ("transfer", "2", "3")):
            done = refused("mtx", "-f", library.changer.path, *words)
            assert "Full" in done or "Empty" in done or "empty" in done, done


def refused(*words: str) -> str:
    from subprocess import run as start

    done = start(words, capture_output=True, text=True, check=False)
    assert done.returncode != 0, done.stdout
    return done.stdout + done.stderr


def test_identity_of_the_changer_is_the_kernels_too(library: Bench) -> None:
    said = run("sg_inq", library.changer.path)
    assert "VIRTUAL LIBRARY" in said
    assert "KERNELLIB0" in said

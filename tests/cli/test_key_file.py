"""Key files are private from their first moment and never written over anything."""

import os
import resource
import stat
from pathlib import Path

import pytest

from tapekey.cli import key_file
from tapekey.errors import Conflict, Usage
from tapekey.secret import Secret

KEY = bytes(range(32))


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_private_file_is_for_its_owner_only(umask: int, tmp_path: Path) -> None:
    before = os.umask(umask)
    try:
        key_file.write_private(tmp_path / "key", Secret(KEY))
        key_file.write_public(tmp_path / "pub", b"public")
    finally:
        os.umask(before)
    assert (mode(tmp_path / "key"), mode(tmp_path / "pub")) == (0o600, 0o644)
    assert (tmp_path / "key").read_bytes() == KEY


@pytest.mark.parametrize("kind", ["file", "link", "dangling link"])
def test_nothing_that_exists_is_written_over(kind: str, tmp_path: Path) -> None:
    path, other = tmp_path / "key", tmp_path / "other"
    if kind != "dangling link":
        other.write_bytes(b"old")
    if kind == "file":
        path.write_bytes(b"old")
    else:
        path.symlink_to(other)
    with pytest.raises(Conflict):
        key_file.write_private(path, Secret(KEY))
    with pytest.raises(Conflict):
        key_file.demand_free(tmp_path / "free", path)
    assert KEY not in [file.read_bytes() for file in tmp_path.iterdir() if file.exists()]


def test_directory_that_is_missing_is_the_callers_mistake(tmp_path: Path) -> None:
    with pytest.raises(Usage, match="No such file"):
        key_file.write_private(tmp_path / "nowhere" / "key", Secret(KEY))


def test_file_is_read_into_a_buffer_that_can_be_wiped(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(KEY)
    content = key_file.read(tmp_path / "key")
    assert isinstance(content, bytearray)
    assert content == KEY


def test_file_that_is_too_large_or_missing_is_refused(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(bytes(key_file.LARGEST + 1))
    with pytest.raises(Usage, match="no key file"):
        key_file.read(tmp_path / "key")
    with pytest.raises(Usage, match="cannot read"):
        key_file.read(tmp_path / "nothing")
    (tmp_path / "key").write_bytes(bytes(key_file.LARGEST))
    assert len(key_file.read(tmp_path / "key")) == key_file.LARGEST


def test_file_that_takes_only_a_part_is_an_error_and_is_not_left(tmp_path: Path) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(KEY) // 2, limits[1]))
    try:
        with pytest.raises(Usage, match="File too large"):
            key_file.write_private(tmp_path / "key", Secret(KEY))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert list(tmp_path.iterdir()) == []

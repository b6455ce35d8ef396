import os
import socket
import stat
from pathlib import Path

import pytest

from tapekey.errors import Conflict, Usage
from tapekey.service.control_socket import listening


def test_the_socket_is_for_owner_and_group_and_goes_with_its_agent(tmp_path: Path) -> None:
    path = tmp_path / "agent.sock"
    with listening(path):
        found = path.stat()
        assert (stat.S_ISSOCK(found.st_mode), stat.S_IMODE(found.st_mode)) == (True, 0o660)
        assert found.st_gid == tmp_path.stat().st_gid
    assert [left.name for left in tmp_path.iterdir()] == ["agent.sock.lock"]


def test_a_dead_agents_socket_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "agent.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    with listening(path), socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))


def test_a_socket_that_answers_is_never_taken_even_without_its_lock(tmp_path: Path) -> None:
    path = tmp_path / "agent.sock"
    with socket.socket(socket.AF_UNIX) as living:
        living.bind(str(path))
        living.listen(1)
        with pytest.raises(Conflict, match="another agent"), listening(path):
            pass
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(path))


def test_a_living_agents_lock_is_heeded_though_its_socket_is_gone(tmp_path: Path) -> None:
    path = tmp_path / "agent.sock"
    with listening(path):
        path.unlink()
        with pytest.raises(Conflict, match="another agent"), listening(path):
            pass


def test_a_file_in_the_way_is_left(tmp_path: Path) -> None:
    path = tmp_path / "agent.sock"
    path.write_text("precious")
    with pytest.raises(Conflict, match="in the way"), listening(path):
        pass
    assert path.read_text() == "precious"


def test_anothers_socket_is_not_removed_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "agent.sock"
    with socket.socket(socket.AF_UNIX) as other:
        with listening(path):
            os.unlink(path)
            other.bind(str(path))
        assert path.exists()


def test_a_missing_directory_and_a_long_name_are_said(tmp_path: Path) -> None:
    with pytest.raises(Usage, match="cannot serve"), listening(tmp_path / "none" / "agent.sock"):
        pass
    with pytest.raises(Usage, match="too long"), listening(tmp_path / ("x" * 100) / "agent.sock"):
        pass


def test_an_error_of_who_serves_is_not_taken_for_anothers_lock(tmp_path: Path) -> None:
    with pytest.raises(BlockingIOError), listening(tmp_path / "agent.sock"):
        raise BlockingIOError

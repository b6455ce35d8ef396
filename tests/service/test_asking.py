import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tapekey import errors
from tapekey.errors import AgentMissing, Malformed, NotAllowed, TapekeyError, TimedOut, TransportFailed
from tapekey.service import asking


@contextmanager
def answering(path: Path, answer: bytes | None) -> Iterator[None]:
    """Somebody who says one thing to whoever asks; None: nothing, without hanging up."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen(1)
        done = threading.Event()

        def once() -> None:
            client, _ = listener.accept()
            with client:
                client.recv(1 << 16)
                if answer is None:
                    done.wait(10)
                else:
                    client.sendall(answer)

        thread = threading.Thread(target=once)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join(10)


def test_no_agent_is_missing(tmp_path: Path) -> None:
    dead = tmp_path / "dead"
    with socket.socket(socket.AF_UNIX) as gone:
        gone.bind(str(dead))
    for path in (tmp_path / "none", dead):
        with pytest.raises(AgentMissing) as caught:
            asking.ask(path, "status")
        assert caught.value.mend


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_who_may_not_connect_is_told_so(tmp_path: Path) -> None:
    path = tmp_path / "agent.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        os.chmod(path, 0o600)
        listener.listen(1)
        tmp_path.chmod(0o755)
        os.seteuid(65534)
        try:
            with pytest.raises(NotAllowed):
                asking.ask(path, "status")
        finally:
            os.seteuid(0)


def test_silence_is_not_a_missing_agent(tmp_path: Path) -> None:
    with answering(tmp_path / "s", None), pytest.raises(TimedOut):
        asking.ask(tmp_path / "s", "status", timeout=0.05)


def test_hanging_up_is_no_answer(tmp_path: Path) -> None:
    with answering(tmp_path / "s", b'{"done": {'), pytest.raises(TransportFailed, match="hung up"):
        asking.ask(tmp_path / "s", "status")


@pytest.mark.parametrize("answer", [b"\n", b"[]\n", b"7\n", b"{}\n", b'{"done": 7}\n', b'{"refused": {}}\n', b"\xff\n"])
def test_rubbish_is_malformed(tmp_path: Path, answer: bytes) -> None:
    with answering(tmp_path / "s", answer), pytest.raises(Malformed):
        asking.ask(tmp_path / "s", "status")


KINDS = [one for one in vars(errors).values() if isinstance(one, type) and issubclass(one, TapekeyError)]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_error_comes_back_as_itself(tmp_path: Path, kind: type[TapekeyError]) -> None:
    line = f'{{"refused": {{"kind": "{kind.__name__}", "what": "a", "why": "b", "mend": "c"}}}}\n'
    with answering(tmp_path / "s", line.encode()), pytest.raises(TapekeyError) as caught:
        asking.ask(tmp_path / "s", "status")
    assert type(caught.value) is kind
    assert (caught.value.what, caught.value.why, caught.value.mend) == ("a", "b", "c")


def test_an_error_of_a_newer_agent_is_still_an_error(tmp_path: Path) -> None:
    with answering(tmp_path / "s", b'{"refused": {"kind": "Unheard", "what": "a"}}\n'), pytest.raises(TapekeyError):
        asking.ask(tmp_path / "s", "status")


def test_asking_needs_nothing_of_tapekey_but_the_errors() -> None:
    program = "import sys, tapekey.service.asking; print(*sorted(m for m in sys.modules if m.startswith('tapekey')))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=30)
    assert done.stdout.split() == ["tapekey", "tapekey.errors", "tapekey.service", "tapekey.service.asking"]

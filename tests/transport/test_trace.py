"""The trace: what a line shows, and what no line may show."""

import base64
import json
from pathlib import Path

import pytest

from tapekey.errors import TimedOut, TransportFailed
from tapekey.exchange import Command, Reply
from tapekey.scsi import media
from tapekey.scsi.encryption import DecryptionMode, EncryptionMode
from tapekey.secret import Secret
from tapekey.transport.trace import Trace
from tests.bench import powered
from tests.target.initiator import KEY, parameters
from tests.waist import good, refused, scripted


def traced(reply: Reply, command: Command) -> dict[str, object]:
    lines: list[str] = []
    assert Trace(scripted(reply), lines.append).execute(command) is reply
    assert lines[0].endswith("\n")
    return json.loads(lines[0])  # type: ignore[no-any-return]


def test_line_has_everything_of_a_plain_command() -> None:
    line = traced(refused("6/29/00"), Command(bytes(6), b"\x01\x02", data_in_max=8, timeout=3.0))

    assert line == {
        "cdb": "000000000000",
        "out": "0102",
        "in_max": 8,
        "timeout": 3.0,
        "status": 2,
        "in": "",
        "sense": "70000600000000 0a 00000000 2900 00 000000".replace(" ", ""),
    }


SILENT = {
    "secret": (Command(bytes(6), Secret(b"canary")), good(), ("out", 6)),
    "set data encryption sent as plain bytes": (Command(b"\xb5" + bytes(11), b"canary"), good(), ("out", 6)),
    "written block": (media.write_block(b"canary"), good(), ("out", 6)),
    "read block": (media.read_block(6), good(b"canary"), ("in", 6)),
}


@pytest.mark.parametrize(("command", "reply", "shown"), SILENT.values(), ids=SILENT)
def test_secrets_and_blocks_show_their_length_only(command: Command, reply: Reply, shown: tuple[str, int]) -> None:
    line = traced(reply, command)

    assert line[shown[0]] == shown[1]
    assert b"canary".hex() not in json.dumps(line)


@pytest.mark.parametrize("error", [TransportFailed("broken"), TimedOut("late")])
def test_failure_is_written_and_passed_on(error: TransportFailed) -> None:
    class Broken:
        def execute(self, command: Command) -> Reply:
            raise error

    lines: list[str] = []
    with pytest.raises(type(error)):
        Trace(Broken(), lines.append).execute(Command(bytes(6)))

    assert json.loads(lines[0])["failed"] == type(error).__name__


def test_no_form_of_the_key_is_in_a_whole_trace(tmp_path: Path) -> None:
    bench, lines = powered(tmp_path), list[str]()
    trace = Trace(bench, lines.append)
    for mode in EncryptionMode.ENCRYPT, EncryptionMode.DISABLE:
        trace.execute(parameters(bench, mode, DecryptionMode.DECRYPT))
    trace.execute(media.write_block(KEY))
    text = "".join(lines) + repr(bench.commands) + str(bench.commands)

    forms = [KEY.hex(), KEY.hex(" "), repr(KEY)[2:-1], str(list(KEY))[1:-1]]
    forms += [base64.b64encode(bytes(skip) + KEY).decode()[4:40] for skip in range(3)]
    assert not [form for form in forms if form in text]

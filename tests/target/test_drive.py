"""What stands before every command, and that nothing a client sends gets anything but a reply."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tapekey.exchange import Command, Reply
from tapekey.scsi import inquiry, log, media, mode, mode_page, opcodes, reserve, security, timestamp
from tapekey.scsi.attribute import list_supported, read_attributes
from tapekey.scsi.codes import Opcode, Status
from tapekey.scsi.density import report_densities
from tapekey.scsi.encryption import InPage, read_page
from tapekey.scsi.log import LogPage
from tapekey.scsi.sense import decode_sense
from tapekey.target.drive import COMMANDS, execute
from tapekey.target.personality import Management
from tapekey.target.unit_attention import Attention
from tests.bench import NAMES, Bench, powered
from tests.target.initiator import code, parameters

EXEMPT = {
    "inquiry": inquiry.inquire(),
    "report luns": inquiry.report_luns(),
}
REPORTING = {
    "test unit ready": media.test_unit_ready(),
    "read attribute": read_attributes(),
    "mode sense": mode.mode_sense(mode_page.ModePage.ALL),
    "security protocol in": read_page(InPage.STATUS),
    "read position": Command(bytes.fromhex("34000000000000000000"), data_in_max=20),
    "report opcodes": opcodes.report_opcodes(),
}


def attentive(directory: Path, name: str, *attentions: Attention) -> Bench:
    bench = powered(directory, name)
    bench.drive.nexuses.get("host").pending.update(attentions)
    return bench


@pytest.mark.parametrize("command", EXEMPT.values(), ids=EXEMPT)
def test_exempt_command_neither_reports_nor_clears(tmp_path: Path, command: Command) -> None:
    bench = attentive(tmp_path, "ibm-lto6", Attention.NOT_READY_TO_READY)

    assert code(bench.execute(command)) == "good"
    assert code(bench.execute(media.test_unit_ready())) == "6/28/00"


@pytest.mark.parametrize("command", REPORTING.values(), ids=REPORTING)
def test_other_commands_report_once_and_then_execute(tmp_path: Path, command: Command) -> None:
    bench = attentive(tmp_path, "ibm-lto6", Attention.NOT_READY_TO_READY)

    assert [code(bench.execute(command)) for _ in range(2)] == ["6/28/00", "good"]


@pytest.mark.parametrize(("name", "answer"), [("ibm-lto6", "good"), ("ibm-lto9", "good"), ("hpe-lto6", "6/28/00")])
def test_log_sense_takes_the_attention_on_hpe_only(tmp_path: Path, name: str, answer: str) -> None:
    bench = attentive(tmp_path, name, Attention.NOT_READY_TO_READY)

    assert code(bench.execute(log.log_sense(LogPage.DEVICE_STATUS))) == answer


def test_request_sense_returns_the_attention_as_data_and_clears_it(tmp_path: Path) -> None:
    bench = attentive(tmp_path, "ibm-lto6", Attention.NOT_READY_TO_READY)

    reply = bench.execute(media.request_sense())

    assert reply.status == Status.GOOD
    assert decode_sense(reply.data_in).code == "6/28/00"
    assert code(bench.execute(media.test_unit_ready())) == "good"


def test_attentions_come_one_at_a_time_reset_first(tmp_path: Path) -> None:
    bench = attentive(
        tmp_path, "ibm-lto6", Attention.MODE_CHANGED, Attention.NOT_READY_TO_READY, Attention.DEVICE_RESET
    )

    codes = [code(bench.execute(media.test_unit_ready())) for _ in range(4)]

    assert codes == ["6/29/03", "6/28/00", "6/2A/01", "good"]


def test_attention_comes_before_the_command_changes_anything(tmp_path: Path) -> None:
    bench = attentive(tmp_path, "ibm-lto6", Attention.DEVICE_RESET)

    assert code(bench.execute(media.write_block(b"x"))) == "6/29/03"
    assert bench.drive.tape.objects == 0


def test_new_initiator_hears_of_the_power_on(tmp_path: Path) -> None:
    bench = powered(tmp_path)

    assert code(execute(bench.drive, "newcomer", media.test_unit_ready())) == "6/29/00"


@pytest.mark.parametrize("descriptor", [False, True])
def test_sense_format_follows_the_control_page(tmp_path: Path, descriptor: bool) -> None:
    bench = powered(tmp_path)
    page = mode.raw(mode_page.Control(descriptor_sense=descriptor))
    assert code(bench.execute(mode.mode_select(mode.Answer(pages=(page,))))) == "good"

    sense = bench.execute(media.read_block(10)).sense

    assert sense[0] & 0x7F == (0x72 if descriptor else 0x70)
    assert decode_sense(sense).code == "8/00/05"
    assert decode_sense(sense).information == 10


UNKNOWN = sorted(set(range(256)) - {int(opcode) for opcode in COMMANDS})


def test_every_other_opcode_is_unknown(tmp_path: Path) -> None:
    bench = powered(tmp_path)

    answers = {code(bench.execute(Command(bytes([opcode]) + bytes(15)))) for opcode in UNKNOWN}

    assert answers == {"5/20/00"}


def test_short_cdb_is_refused(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    for opcode, row in COMMANDS.items():
        assert code(bench.execute(Command(bytes([opcode]) + bytes(row.length - 2)))) == "5/24/00"
    assert code(bench.execute(Command(b""))) == "5/20/00"


DATA_IN: dict[str, tuple[Command, int, int]] = {
    # command, where its allocation length is, how wide
    "inquiry": (inquiry.inquire(), 3, 2),
    "vital 00h": (inquiry.inquire_vital(inquiry.VitalPage.SUPPORTED), 3, 2),
    "vital 83h": (inquiry.inquire_vital(inquiry.VitalPage.IDENTIFICATION), 3, 2),
    "vital D0h": (inquiry.inquire_vital(inquiry.VitalPage.VIRTUAL), 3, 2),
    "request sense": (media.request_sense(), 4, 1),
    "report luns": (inquiry.report_luns(), 6, 4),
    "mode sense 6": (mode.mode_sense_6(mode_page.ModePage.ALL), 4, 1),
    "mode sense 10": (mode.mode_sense(mode_page.ModePage.ALL, 0xFF), 7, 2),
    "log 00h": (log.log_sense(LogPage.SUPPORTED), 7, 2),
    "log 0Ch": (log.log_sense(LogPage.SEQUENTIAL_ACCESS), 7, 2),
    "log 11h": (log.log_sense(LogPage.DEVICE_STATUS), 7, 2),
    "log 12h": (log.log_sense(LogPage.TAPE_ALERT_RESPONSE), 7, 2),
    "log 14h": (log.log_sense(LogPage.DEVICE_STATISTICS), 7, 2),
    "log 17h": (log.log_sense(LogPage.VOLUME_STATISTICS), 7, 2),
    "log 2Eh": (log.log_sense(LogPage.TAPE_ALERT), 7, 2),
    "log 31h": (log.log_sense(LogPage.TAPE_CAPACITY), 7, 2),
    "density": (report_densities(), 7, 2),
    "persistent reserve in": (reserve.persistent_in(reserve.InAction.READ_KEYS), 7, 2),
    "read attribute": (read_attributes(), 10, 4),
    "supported attributes": (list_supported(), 10, 4),
    "opcodes": (opcodes.report_opcodes(), 6, 4),
    "timestamp": (timestamp.report_timestamp(), 6, 4),
    "extended position": (Command(bytes.fromhex("34080000000000002000"), data_in_max=32), 7, 2),
    **{f"page {page:04X}h": (read_page(page), 6, 4) for page in InPage if page.value not in (0x22, 0x31)},
    "protocols": (security.security_protocol_in(0, 0), 6, 4),
}


@pytest.mark.parametrize(("command", "at", "width"), DATA_IN.values(), ids=DATA_IN)
def test_allocation_length_cuts_the_answer_and_is_no_error(
    tmp_path: Path, command: Command, at: int, width: int
) -> None:
    bench = powered(tmp_path)
    whole = bench.execute(command)
    assert whole.status == Status.GOOD
    assert whole.data_in

    for room in (0, 1, 3, len(whole.data_in) - 1, len(whole.data_in), len(whole.data_in) + 1):
        cdb = command.cdb[:at] + room.to_bytes(width, "big") + command.cdb[at + width :]
        cut = bench.execute(Command(cdb, data_in_max=65_536))
        assert cut.status == Status.GOOD
        assert len(cut.data_in) == min(room, len(whole.data_in))
        if command.cdb != read_page(InPage.RANDOM_NUMBER).cdb:
            assert cut.data_in[:4] == whole.data_in[: min(room, 4)]


@pytest.mark.parametrize("command", [row[0] for row in DATA_IN.values()], ids=DATA_IN)
def test_no_more_comes_than_the_host_has_room_for(tmp_path: Path, command: Command) -> None:
    assert len(powered(tmp_path).execute(Command(command.cdb, data_in_max=2)).data_in) <= 2


@pytest.mark.parametrize("name", NAMES)
def test_opcode_report_and_reality_agree(tmp_path: Path, name: str) -> None:
    for management in Management:
        bench = powered(tmp_path / management.value, name, empty=True, management=management)
        listed = {entry.opcode for entry in opcodes.decode_all(bench.execute(opcodes.report_opcodes()).data_in)}
        for opcode in COMMANDS:
            bench.settle()
            known = code(bench.execute(Command(bytes([opcode]) + bytes(15)))) not in ("5/20/00", "5/74/21")
            assert known is (opcode in listed)


def test_one_opcode_is_reported_with_its_time(tmp_path: Path) -> None:
    bench = powered(tmp_path)

    one = opcodes.decode_one(bench.execute(opcodes.report_opcode(Opcode.LOAD_UNLOAD, timeouts=True)).data_in)

    assert one.supported
    assert one.usage[0] == Opcode.LOAD_UNLOAD
    assert one.timeouts is not None
    assert one.timeouts.recommended == media.LOAD


def test_opcode_with_actions_is_asked_for_with_its_action(tmp_path: Path) -> None:
    bench = powered(tmp_path)

    assert code(bench.execute(opcodes.report_opcode(Opcode.MAINTENANCE_IN))) == "5/24/00"
    clock = bench.execute(opcodes.report_opcode(Opcode.MAINTENANCE_IN, timestamp.SERVICE_ACTION))
    absent = bench.execute(opcodes.report_opcode(Opcode.MAINTENANCE_IN, 0x0A))
    assert opcodes.decode_one(clock.data_in).supported
    assert not opcodes.decode_one(absent.data_in).supported


# --- anything at all --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def benches(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Bench]:
    return {name: powered(tmp_path_factory.mktemp(name), name) for name in NAMES}


FUZZ = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@given(
    name=st.sampled_from(NAMES),
    opcode=st.sampled_from(sorted(COMMANDS)),
    rest=st.binary(min_size=5, max_size=15),
    out=st.binary(max_size=300),
    room=st.integers(0, 300),
)
@FUZZ
def test_any_command_gets_a_reply(
    benches: dict[str, Bench], name: str, opcode: Opcode, rest: bytes, out: bytes, room: int
) -> None:
    reply = benches[name].execute(Command(bytes([opcode]) + rest, out, room))

    assert isinstance(reply, Reply)
    assert reply.status in (Status.GOOD, Status.CHECK_CONDITION, Status.RESERVATION_CONFLICT)
    assert len(reply.data_in) <= room
    if reply.status == Status.CHECK_CONDITION:
        decode_sense(reply.sense)


LISTED = st.sampled_from(
    [Opcode.MODE_SELECT_6, Opcode.MODE_SELECT_10, Opcode.WRITE_ATTRIBUTE, Opcode.PERSISTENT_RESERVE_OUT]
)
PLACE = {Opcode.MODE_SELECT_6: (4, 1, 6), Opcode.MODE_SELECT_10: (7, 2, 10), Opcode.WRITE_ATTRIBUTE: (10, 4, 16)}


@given(name=st.sampled_from(NAMES), opcode=LISTED, out=st.binary(max_size=200), action=st.integers(0, 31))
@FUZZ
def test_any_parameter_list_gets_a_reply(
    benches: dict[str, Bench], name: str, opcode: Opcode, out: bytes, action: int
) -> None:
    at, width, length = PLACE.get(opcode, (5, 4, 10))
    cdb = bytearray(length)
    cdb[0], cdb[1] = opcode, action if opcode is Opcode.PERSISTENT_RESERVE_OUT else 0x10
    cdb[at : at + width] = len(out).to_bytes(width, "big")

    assert isinstance(benches[name].execute(Command(bytes(cdb), out)), Reply)


@given(name=st.sampled_from(NAMES), page=st.binary(max_size=120), head=st.booleans(), data=st.data())
@FUZZ
def test_any_set_data_encryption_gets_a_reply(
    benches: dict[str, Bench], name: str, page: bytes, head: bool, data: st.DataObject
) -> None:
    bench = benches[name]
    if head:
        good = bytearray(bytes(parameters(bench).data_out.reveal()))  # type: ignore[union-attr]
        for _ in range(data.draw(st.integers(0, 4))):
            good[data.draw(st.integers(0, len(good) - 1))] = data.draw(st.integers(0, 255))
        page = bytes(good) + page
    cdb = bytes.fromhex("b52000100000") + len(page).to_bytes(4, "big") + bytes(2)

    assert isinstance(bench.execute(Command(cdb, page)), Reply)

"""Our envelopes in cartridge memory: host vendor range, room and refusals are in the reference, 4.1 to 4.4."""

from pathlib import Path

import pytest

from tapekey import errors
from tapekey.cartridge import envelopes
from tapekey.cartridge.envelopes import Found
from tapekey.exchange import Transport
from tapekey.keys.data_key import new_data_key
from tapekey.keys.envelope import Binding, seal
from tapekey.scsi import attribute
from tapekey.scsi.attribute import Attribute
from tapekey.scsi.attribute_table import AttributeId
from tapekey.scsi.codes import Opcode
from tapekey.scsi.run import run
from tapekey.target import cartridge
from tests.bench import NAMES, Bench, made, powered
from tests.octets import octets
from tests.waist import Meddling, at_step, attribute_read, by_opcode, cut, good, patched, refused, steps_of

WRITE = by_opcode(Opcode.WRITE_ATTRIBUTE)


def envelope(sequence: int = 0) -> bytes:
    key = new_data_key()
    return seal(key, Binding(key.id, "SERIAL", bytes(16), sequence), [], id_only=True).envelope


ENVELOPE, ANOTHER = envelope(), envelope(1)


def put(bench: Transport, identifier: int, value: bytes) -> None:
    run(bench, attribute.write_attributes([Attribute(AttributeId(identifier), value)]))


def host(bench: Bench) -> dict[int, bytes]:
    """What hosts have written into the chip, barcode aside, and what would survive a loss of power."""
    assert bench.drive.cartridge is not None
    stored = bench.drive.cartridge.memory
    assert stored.chip == stored.host
    return {item.id: item.value for item in stored.of() if item.id != AttributeId.BARCODE}


@pytest.mark.parametrize("name", NAMES)
def test_an_envelope_is_written_through_and_read_back(name: str, tmp_path: Path) -> None:
    bench = powered(tmp_path, name)
    assert envelopes.read(bench) == ()
    found = envelopes.write(bench, ENVELOPE)
    assert found == Found(0x1400, ENVELOPE)
    assert envelopes.read(bench) == (found,)
    assert host(bench) == {0x1400: ENVELOPE}


def test_an_older_envelope_stays(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    first, second = envelopes.write(bench, ENVELOPE), envelopes.write(bench, ANOTHER)
    assert envelopes.read(bench) == (first, second)
    assert first.attribute != second.attribute


def test_the_same_envelope_is_not_written_twice(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    first = envelopes.write(bench, ENVELOPE)
    before = len(bench.commands)
    assert envelopes.write(bench, ENVELOPE) == first
    assert not any(WRITE(command) for command in bench.commands[before:])


def test_a_torn_envelope_is_found_and_called_torn(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    put(bench, 0x1410, ENVELOPE[:-1])
    assert envelopes.read(bench) == (Found(0x1410, ENVELOPE[:-1], torn=True),)


def test_what_is_not_ours_is_neither_read_nor_written_over(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    strangers = {0x1400: b"STRANGER", 0x1401: b"tpke", 0x1402: b"TPK", 0x1623: b"\1", 0x1500: b"TPKE early warning"}
    for identifier, value in strangers.items():
        put(bench, identifier, value)
    assert envelopes.read(bench) == ()
    assert envelopes.write(bench, ENVELOPE).attribute == 0x1403
    assert host(bench) == {**strangers, 0x1403: ENVELOPE}


def test_attributes_of_the_standard_are_never_ours(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    run(bench, attribute.write_attributes([attribute.attribute(AttributeId.USER_LABEL, ENVELOPE)]))
    assert envelopes.read(bench) == ()


@pytest.mark.parametrize("numbers", [(0x1500, 0x1623), (0x1500, 0x1507)])
def test_numbers_that_others_own_are_never_written(numbers: tuple[int, int], tmp_path: Path) -> None:
    listed = good(attribute.encode_ids(numbers))
    offering = Meddling(powered(tmp_path), attribute_read(0, action=5), instead=listed)
    assert envelopes.write(offering, ENVELOPE).attribute not in {0x1500, 0x1623}


# --- room ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_room_is_just_what_fits(name: str, tmp_path: Path) -> None:
    bench = powered(tmp_path, name)
    room = envelopes.room(bench)
    value = ENVELOPE[:4] + bytes(room - 4)
    with pytest.raises(errors.DoesNotFit):
        envelopes.write(bench, value + b"\0")
    assert host(bench) == {}
    assert envelopes.write(bench, value).value == value
    assert envelopes.room(bench) == 0


@pytest.mark.parametrize("name", NAMES)
def test_a_range_that_is_refused_has_no_room(name: str, tmp_path: Path) -> None:
    bench = powered(tmp_path, name, mam_vendor_range=False)
    assert envelopes.room(bench) == 0
    with pytest.raises(errors.DoesNotFit) as caught:
        envelopes.write(bench, ENVELOPE)
    assert caught.value.mend
    assert host(bench) == {}


LISTS = {
    "no such list": refused("5/24/00"),
    "a list without the range": good(attribute.encode_ids([0x0800, 0x0806])),
    "an empty list": good(octets("00 00 00 00")),
}


@pytest.mark.parametrize("listed", LISTS.values(), ids=LISTS)
@pytest.mark.parametrize("takes", [True, False])
def test_a_drive_that_does_not_list_the_range_is_tried(listed: object, takes: bool, tmp_path: Path) -> None:
    bench = powered(tmp_path, mam_vendor_range=takes)
    silent = Meddling(bench, attribute_read(0, action=5), instead=listed)  # type: ignore[arg-type]
    room = envelopes.room(silent)
    assert (room > 0) is takes
    assert host(bench) == {}
    if takes:
        assert room == envelopes.room(bench)


def test_a_trial_that_was_cut_off_is_no_envelope_and_is_cleaned_up(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    put(bench, 0x1400, envelopes.TRIAL)
    assert envelopes.read(bench) == ()
    silent = Meddling(bench, attribute_read(0, action=5), instead=refused("5/24/00"))
    assert envelopes.room(silent) > 0
    assert host(bench) == {}


def test_a_drive_that_does_not_say_how_much_is_left_has_no_room(tmp_path: Path) -> None:
    assert envelopes.room(Meddling(powered(tmp_path), attribute_read(4), instead=refused("5/24/00"))) == 0


@pytest.mark.parametrize("code", ["3/04/10", "4/44/00", "6/28/00", "5/26/00"])
def test_a_failure_is_not_a_refused_range(code: str, tmp_path: Path) -> None:
    for identifier, action in ((4, 0), (0, 5)):
        with pytest.raises(errors.DeviceError):
            envelopes.room(
                Meddling(powered(tmp_path / f"{action}"), attribute_read(identifier, action), instead=refused(code))
            )


# --- writing that goes wrong --------------------------------------------------------------------------------

REFUSALS = {
    "5/55/06": errors.DoesNotFit,
    "5/53/06": errors.DoesNotFit,
    "5/26/00": errors.DoesNotFit,
    "5/1A/00": errors.RequestRefused,
    "7/27/00": errors.WriteProtected,
    "3/0C/0B": errors.MediumFailed,
    "3/04/10": errors.MediumFailed,
    "6/28/00": errors.StateChanged,
    "4/44/00": errors.HardwareFailed,
}


@pytest.mark.parametrize(("code", "kind"), REFUSALS.items(), ids=REFUSALS)
def test_a_refused_write_has_its_type(code: str, kind: type[errors.TapekeyError], tmp_path: Path) -> None:
    refusing = Meddling(powered(tmp_path), WRITE, instead=refused(code))
    with pytest.raises(errors.TapekeyError) as caught:
        envelopes.write(refusing, ENVELOPE)
    assert type(caught.value) is kind
    assert refusing.seen == 1


def test_a_protected_cartridge_takes_no_envelope(tmp_path: Path) -> None:
    bench = powered(tmp_path, empty=True)
    place = made(tmp_path, "lto6")
    cartridge.protect(place, True)
    bench.insert(place)
    with pytest.raises(errors.WriteProtected):
        envelopes.write(bench, ENVELOPE)


def test_a_drive_that_takes_the_envelope_and_drops_it_lied(tmp_path: Path) -> None:
    with pytest.raises(errors.DriveLied, match="nothing"):
        envelopes.write(Meddling(powered(tmp_path), WRITE, instead=good()), ENVELOPE)


def test_a_drive_that_gives_back_another_byte_lied(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    lying = Meddling(bench, attribute_read(0x1400), change=patched(40, b"\xff"))
    with pytest.raises(errors.DriveLied):
        envelopes.write(lying, ENVELOPE)


def test_a_drive_that_pads_the_envelope_lied(tmp_path: Path) -> None:
    padded = good(attribute.encode_attributes([Attribute(AttributeId(0x1400), ENVELOPE + b"\0")]))
    with pytest.raises(errors.DriveLied):
        envelopes.write(Meddling(powered(tmp_path), attribute_read(0x1400), instead=padded), ENVELOPE)


def test_a_failure_at_any_step_is_that_failure(tmp_path: Path) -> None:
    def act(transport: Transport) -> object:
        return envelopes.write(transport, ENVELOPE)

    for step in range(steps_of(powered(tmp_path / "count"), act)):
        with pytest.raises(errors.HardwareFailed):
            act(at_step(powered(tmp_path / str(step)), step, instead=refused("4/44/00")))


def test_a_short_answer_is_no_envelope(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    envelopes.write(bench, ENVELOPE)
    for size in (0, 3, 6, 20):
        with pytest.raises(errors.Malformed):
            envelopes.read(Meddling(bench, attribute_read(0x1400), change=cut(size)))


@pytest.mark.parametrize("size", [0, 3, 4, 5, 8])
def test_a_short_list_does_not_mean_that_there_is_no_envelope(size: int, tmp_path: Path) -> None:
    bench = powered(tmp_path)
    envelopes.write(bench, ENVELOPE)
    with pytest.raises(errors.Malformed):
        envelopes.read(Meddling(bench, attribute_read(0, action=1), change=cut(size)))


@pytest.mark.parametrize("value", [b"", b"TPKE", b"other bytes"])
def test_only_envelopes_are_written(value: bytes, tmp_path: Path) -> None:
    bench = powered(tmp_path)
    with pytest.raises(ValueError, match="no envelope"):
        envelopes.write(bench, value)
    assert host(bench) == {}


# --- removing -----------------------------------------------------------------------------------------------


def test_an_envelope_is_removed_by_name(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    first, second = envelopes.write(bench, ENVELOPE), envelopes.write(bench, ANOTHER)
    envelopes.remove(bench, first.attribute)
    assert envelopes.read(bench) == (second,)


def test_what_is_not_ours_is_not_removed(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    put(bench, 0x1401, b"STRANGER")
    put(bench, 0x1500, b"TPKE early warning")
    with pytest.raises(errors.Conflict):
        envelopes.remove(bench, 0x1401)
    for identifier in (0x1500, 0x1402, 0x0806):
        with pytest.raises(errors.NotFound):
            envelopes.remove(bench, identifier)
    assert set(host(bench)) == {0x1401, 0x1500}


def test_a_drive_that_does_not_remove_lied(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    found = envelopes.write(bench, ENVELOPE)
    with pytest.raises(errors.DriveLied):
        envelopes.remove(Meddling(bench, WRITE, instead=good()), found.attribute)

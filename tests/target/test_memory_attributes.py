"""The attributes that drive and medium keep: formats and lengths of the reference's table."""

from tapekey.scsi.attribute_table import Format, MediumType, kind_of
from tapekey.target import memory_attributes
from tapekey.target.medium_kinds import GENERATIONS
from tapekey.target.memory import Account

MEDIUM = memory_attributes.Medium(GENERATIONS["lto5"], "A1B2C3D4E5", "20240229", MediumType.WRITE_ONCE)
ACCOUNT = Account(
    0x01020304,
    loads=9,
    devices=(memory_attributes.drive("IBM", "1068000001"), memory_attributes.drive("HPE", "HU00000000")),
    written=5 << 20,
    read=3 << 20,
    written_last=2 << 20,
    used=(10 << 20) + 1,
    first_encrypted=1,
)


def _device(generation: str = "lto5") -> dict[int, bytes]:
    medium = memory_attributes.Medium(GENERATIONS[generation], "S", "20240229", MediumType.DATA)
    return {item.id: item.value for item in memory_attributes.device(ACCOUNT, 100 << 20, 470, medium, 1 << 60)}


def test_every_attribute_has_the_tables_length_and_is_read_only() -> None:
    found = memory_attributes.device(ACCOUNT, 100 << 20, 470, MEDIUM, 0) + memory_attributes.medium(MEDIUM)
    for item in found:
        kind = kind_of(item.id)
        assert item.read_only
        assert item.format == kind.format
        assert kind.length in (None, len(item.value)), item


def test_device_attributes_say_what_the_account_says() -> None:
    found = _device()
    assert found[0x0000] == (89).to_bytes(8, "big")
    assert found[0x0001] == (100).to_bytes(8, "big")
    assert found[0x0002] == bytes.fromhex("1000000000000000")
    assert found[0x0003] == (9).to_bytes(8, "big")
    assert found[0x0004] == (470).to_bytes(8, "big")
    assert found[0x0009] == bytes.fromhex("01020304")
    assert found[0x020A] == b"IBM     1068000001" + b" " * 22
    assert found[0x020B] == b"HPE     HU00000000" + b" " * 22
    assert 0x020C not in found
    assert [found[number][-1] for number in range(0x0220, 0x0224)] == [5, 3, 2, 0]
    assert found[0x0224] == (1).to_bytes(8, "big")
    assert found[0x0225] == b"\xff" * 8


def test_volume_change_reference_is_wider_on_t10000() -> None:
    assert _device("t10000c")[0x0009] == bytes.fromhex("0000000001020304")


def test_medium_attributes_say_what_the_label_says() -> None:
    found = {int(item.id): item for item in memory_attributes.medium(MEDIUM)}
    assert found[0x0401].value == b"A1B2C3D4E5" + b" " * 22
    assert found[0x0401].format is Format.ASCII
    assert found[0x0405].value == b"\x58"
    assert found[0x0406].value == b"20240229"
    assert found[0x0407].value == (1024).to_bytes(8, "big")
    assert found[0x0408].value == b"\x80"

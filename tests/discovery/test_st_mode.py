"""What sysfs tells of a tape node, as 6.1 and 7.3 were seen to write it; and what a driver has to be told first."""

from pathlib import Path

import pytest

from tapekey.discovery.st_mode import StMode, st_mode

PLAIN = {"default_blksize": "-1\n", "default_density": "-1\n", "default_compression": "-1\n", "defined": "1\n"}
NEW = {"position_lost_in_reset": "0\n"}

# fmt: off
NODES: dict[str, tuple[dict[str, str], StMode]] = {
    "6.1":                         (PLAIN,                                StMode(counts=False)),
    "6.1, a block size":           (PLAIN | {"default_blksize": "0\n"},   StMode(counts=False, sets_defaults=True)),
    "6.1, a density":              (PLAIN | {"default_density": "0x5e\n"}, StMode(counts=False, sets_defaults=True)),
    "7.3":                         (PLAIN | NEW,                          StMode(counts=True)),
    "7.3, compression":            (PLAIN | NEW | {"default_compression": "1\n"},
                                                                          StMode(counts=True, sets_defaults=True)),
    "it went while we looked":     ({},                                   StMode(counts=False)),
}
# fmt: on


@pytest.mark.parametrize(("files", "mode"), NODES.values(), ids=NODES)
def test_node_is_as_sysfs_shows_it(files: dict[str, str], mode: StMode, tmp_path: Path) -> None:
    (tmp_path / "class/scsi_tape/nst0").mkdir(parents=True)
    for name, value in files.items():
        (tmp_path / "class/scsi_tape/nst0" / name).write_text(value)
    assert st_mode("nst0", tmp_path) == mode


def test_only_a_driver_that_does_not_count_and_sets_something_has_to_be_told_first() -> None:
    modes = [StMode(counts, sets) for counts in (False, True) for sets in (False, True)]
    assert [mode.must_be_told_first for mode in modes] == [False, True, False, False]

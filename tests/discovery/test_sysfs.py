from pathlib import Path

from tapekey.discovery.sysfs import Found, tape_drives


def device(sys: Path, sg: str, kind: str, nst: str | None = None) -> None:
    place = sys / "class/scsi_generic" / sg / "device"
    place.mkdir(parents=True)
    (place / "type").write_text(kind + "\n")
    (place / "vendor").write_text("IBM     \n")
    (place / "model").write_text("ULT3580-TD6     \n")
    for name in (nst, f"{nst}a", f"{nst}m") if nst else ():
        (place / "scsi_tape" / name).mkdir(parents=True)


def test_tape_drives_are_found_by_type_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    device(tmp_path, "sg10", "1", "nst1")
    device(tmp_path, "sg2", "1", "nst0")
    device(tmp_path, "sg3", "8")
    assert tape_drives(tmp_path) == [
        Found("sg2", "nst0", "IBM", "ULT3580-TD6"),
        Found("sg10", "nst1", "IBM", "ULT3580-TD6"),
    ]


def test_a_drive_without_tape_node_is_still_found(tmp_path: Path) -> None:
    device(tmp_path, "sg0", "1")
    assert tape_drives(tmp_path)[0].nst is None


def test_a_host_without_scsi_has_none(tmp_path: Path) -> None:
    assert tape_drives(tmp_path) == []

"""The files of udev/: their grammar, and the programs that read them where this host has those."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

UDEV = Path(__file__).parents[1] / "udev"
RULES = sorted(UDEV.glob("*.rules"))

# udev(7): what may be matched, what may be set, and the operators of each.
MATCHES = {"ACTION", "SUBSYSTEM", "SUBSYSTEMS", "ATTRS", "ENV"}
SETS = {"GOTO", "LABEL", "IMPORT", "SYMLINK", "GROUP", "MODE"}
PAIR = re.compile(r'([A-Z]+)(?:\{([^}]+)\})?(==|!=|=|\+=|:=)"([^"]*)"')


def lines(file: Path) -> list[list[tuple[str, str, str, str]]]:
    """The rules of a file as (key, attribute, operator, value); a line that is no rule is refused."""
    found = []
    for line in file.read_text().splitlines():
        if not line or line.startswith("#"):
            continue
        pairs = [PAIR.fullmatch(part.strip()) for part in line.split(", ")]
        assert all(pairs), line
        found.append([(m[1], m[2] or "", m[3], m[4]) for m in pairs if m])
    return found


@pytest.mark.parametrize("file", RULES, ids=lambda path: path.name)
def test_every_line_is_a_rule_with_keys_that_udev_knows(file: Path) -> None:
    for rule in lines(file):
        for key, _, operator, _ in rule:
            assert key in (MATCHES if operator in ("==", "!=") else SETS), rule


@pytest.mark.parametrize("file", RULES, ids=lambda path: path.name)
def test_every_jump_leads_forward_to_a_label(file: Path) -> None:
    rules = lines(file)
    for place, rule in enumerate(rules):
        for key, _, _, value in rule:
            if key == "GOTO":
                assert ("LABEL", "", "=", value) in [pair for later in rules[place + 1 :] for pair in later]


def test_the_flag_that_switches_links_off_is_honoured_before_any_is_made() -> None:
    rules = lines(UDEV / "61-tapekey.rules")
    flag = [("ENV", "UDEV_DISABLE_PERSISTENT_STORAGE_RULES_FLAG", "==", "1"), ("GOTO", "", "=", "tapekey_end")]
    first_link = next(place for place, rule in enumerate(rules) if any(pair[0] == "SYMLINK" for pair in rule))
    assert rules.index(flag) < first_link
    assert rules[-1] == [("LABEL", "", "=", "tapekey_end")]


def test_the_private_group_is_for_drives_only() -> None:
    ((*matches, group, mode),) = lines(UDEV / "72-tapekey-private.rules")
    assert ("ATTRS", "type", "==", "1") in matches
    assert ("SUBSYSTEM", "", "==", "scsi_generic") in matches
    assert (group[3], mode[3]) == ("tapekey", "0660")


def test_udevadm_finds_nothing_wrong() -> None:
    if (
        not shutil.which("udevadm")
        or "verify"
        not in subprocess.run(["udevadm", "--help"], capture_output=True, text=True, timeout=10, check=False).stdout
    ):
        pytest.skip("udevadm verify came with systemd 254; the kernel guest runs these rules for real")
    command = ["udevadm", "verify", "--resolve-names=never", "--no-summary", *map(str, RULES)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_group_is_made_and_the_directories_belong_to_it(tmp_path: Path) -> None:
    if not shutil.which("systemd-sysusers"):
        pytest.skip("this host has no systemd")
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/passwd").write_text("root:x:0:0::/root:/bin/sh\n")
    (tmp_path / "etc/group").write_text("root:x:0:\n")
    for program, file in (("systemd-sysusers", "tapekey.sysusers"), ("systemd-tmpfiles", "tapekey.tmpfiles")):
        create = ["--create"] if program == "systemd-tmpfiles" else []
        done = subprocess.run(
            [program, f"--root={tmp_path}", *create, str(UDEV / file)],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    assert "tapekey:" in (tmp_path / "etc/group").read_text()
    assert (tmp_path / "var/lib/tapekey").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "run/tapekey").stat().st_mode & 0o777 == 0o750

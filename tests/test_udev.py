"""The files of udev/: their grammar, and the programs that read them where this host has those."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tapekey import config, wiring

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


# --- the agent's unit ---

UNIT = UDEV / "tapekey-agent.service"
MOST_EXPOSED = 2.0


def settings(name: str) -> list[str]:
    """The values of a setting, in order."""
    return re.findall(rf"^{name}=(.*)$", UNIT.read_text(), re.MULTILINE)


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit as it is installed, with a program that is there."""
    if not shutil.which("systemd-analyze"):
        pytest.skip("this host has no systemd")
    installed = tmp_path / UNIT.name
    installed.write_text(UNIT.read_text().replace("@PREFIX@/bin/tapekey", "/bin/true"))
    return installed


def analysed(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["systemd-analyze", *words], capture_output=True, text=True, timeout=60, check=False)


def test_the_unit_is_exposed_less_than_demanded(unit: Path) -> None:
    threshold = f"--threshold={MOST_EXPOSED * 10:.0f}"
    done = analysed("security", "--offline=true", "--no-pager", threshold, str(unit))
    told = re.search(r"Overall exposure level for \S+: (\d+\.\d)", done.stdout)
    assert told, done.stdout + done.stderr
    print(f"exposure {told[1]}, demanded below {MOST_EXPOSED}")
    assert (done.returncode, float(told[1]) < MOST_EXPOSED) == (0, True), done.stdout


def test_systemd_knows_every_line_of_the_unit(unit: Path) -> None:
    done = analysed("verify", "--man=no", str(unit))
    assert [line for line in done.stderr.splitlines() if UNIT.name in line] == []


def test_the_storage_daemons_start_after_the_agent_is_ready() -> None:
    assert settings("Type") == ["notify"]
    assert {"bacula-sd.service", "bareos-sd.service", "amanda.socket"} <= set(settings("Before")[0].split())
    assert "settle" not in " ".join(settings("After") + settings("Wants") + settings("Requires"))


def test_stopping_the_agent_does_nothing_to_a_drive() -> None:
    assert not re.search(r"^ExecStop", UNIT.read_text(), re.MULTILINE)
    assert settings("Restart") == ["on-failure"]
    assert settings("StartLimitIntervalSec") == ["0"]
    assert int(settings("WatchdogSec")[0]) > 0


def test_the_unit_leaves_what_the_agent_needs() -> None:
    assert {"char-sg rw", "char-st rw"} == set(settings("DeviceAllow"))
    assert "AF_NETLINK" in settings("RestrictAddressFamilies")[0].split()
    assert not settings("PrivateNetwork") + settings("PrivateUsers") + settings("PrivateDevices")
    assert settings("LoadCredential")[0].partition(":")[0] == wiring.CREDENTIAL
    assert settings("RuntimeDirectory") == [config.Agent().runtime.name]

"""A drive by its iscsi:// URI, through the command line: the whole job, the words it needs, and who may log in."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tapekey import config, wiring
from tapekey.errors import Usage
from tapekey.iscsi.config import Chap, Credential
from tests.stories.transcript import Teller, telling
from tests.target import portals
from tests.target.peer import TARGET

pytest.importorskip("tapekey.native_iscsi", reason="libiscsi-dev was not there at set-up")

SECRET, PROOF = "a-secret-of-ours-1", "a-secret-of-theirs"
KEYS = "--store ks --key-file root.key"


@contextmanager
def served(place: Path, chap: Chap | None = None) -> Iterator[tuple[Teller, str]]:
    """A drive behind iSCSI with a blank cartridge in it, and a command line in a directory."""
    with (
        portals.drive(place) as powered,
        portals.listening(powered, chap=chap) as address,
        telling(place) as teller,
    ):
        yield teller, f"iscsi://127.0.0.1:{address[1]}/{TARGET}/0"


def done(teller: Teller, command: str) -> str:
    status, said = teller.run(command)
    assert status == 0, said
    return said


def with_keystore(teller: Teller) -> None:
    for command in (
        "umask 077; head -c 32 /dev/urandom > root.key",
        "tapekey recipient generate x25519 recovery.key",
        f"tapekey keystore init {KEYS} --recovery-recipient recovery.key.pub",
        f"tapekey rule add 'ENC*' --require --recipient site {KEYS}",
    ):
        done(teller, command)


def test_a_drive_is_shown_written_and_read_by_its_uri(tmp_path: Path) -> None:
    with served(tmp_path) as (teller, uri):
        with_keystore(teller)
        assert "DRIVE00001" in done(teller, f"tapekey drive show {uri}")
        done(teller, f"tapekey drive approve {uri} --allow iscsi --allow-virtual {KEYS}")
        done(teller, f"tapekey save {uri} --allow-virtual --allow-clear-key iscsi {KEYS}")
        done(teller, "head -c 300000 /dev/urandom > file")
        done(teller, f"tapekey tape write {uri} < file")
        done(teller, f"tapekey unload {uri} {KEYS}")
        done(teller, f"tapekey restore {uri} --allow-virtual --allow-clear-key iscsi {KEYS}")
        done(teller, f"tapekey tape read {uri} > again")
        assert (tmp_path / "again").read_bytes() == (tmp_path / "file").read_bytes()


def test_it_is_not_approved_and_gets_no_key_unasked(tmp_path: Path) -> None:
    with served(tmp_path) as (teller, uri):
        with_keystore(teller)
        status, said = teller.run(f"tapekey drive approve {uri} --allow-virtual {KEYS}")
        assert status == 100
        assert "--allow iscsi" in said
        done(teller, f"tapekey drive approve {uri} --allow iscsi --allow-virtual {KEYS}")
        status, said = teller.run(f"tapekey save {uri} --allow-virtual {KEYS}")
        assert status == 100
        assert "in clear" in said
        assert "--allow-clear-key iscsi" in said


def chap_file(place: Path, text: str) -> Path:
    file = place / "chap"
    file.write_text(text)
    file.chmod(0o600)
    return file


MUTUAL = Chap((Credential("ada", SECRET.encode()),), Credential("library", PROOF.encode()))
LOGINS = {
    "right": (f"ada:{SECRET}", 0, "DRIVE00001"),
    "right, and the target proves itself": (f"ada:{SECRET}\nmutual library:{PROOF}", 0, "DRIVE00001"),
    "wrong secret": ("ada:not-that-secret-word", 4, "let us in"),
    "another user": (f"eve:{SECRET}", 4, "let us in"),
    "a target that is another one": (f"ada:{SECRET}\nmutual library:not-that-secret-word", 4, "let us in"),
    "two users": (f"ada:{SECRET}\neve:another-secret-word", 2, "several users"),
}


@pytest.mark.parametrize(("text", "status", "words"), LOGINS.values(), ids=LOGINS)
def test_chap_lets_in_who_has_the_secret(
    text: str, status: int, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TAPEKEY_ISCSI_CHAP_FILE", str(chap_file(tmp_path, text)))
    with served(tmp_path, MUTUAL) as (teller, uri):
        ended, said = teller.run(f"tapekey drive show {uri}")
    assert words in said
    assert bool(ended) is bool(status)
    for secret in (SECRET, PROOF, "not-that", "another-secret"):
        assert secret not in said


def test_chap_file_of_the_configuration_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = chap_file(tmp_path, f"ada:{SECRET}")
    monkeypatch.setattr(config, "read", lambda: config.Config(tmp_path / "ks", iscsi_chap_file=file))
    with served(tmp_path, MUTUAL) as (teller, uri):
        assert "DRIVE00001" in done(teller, f"tapekey drive show {uri}")


def test_without_a_file_the_way_to_one_is_told(tmp_path: Path) -> None:
    with served(tmp_path, MUTUAL) as (teller, uri):
        status, said = teller.run(f"tapekey drive show {uri}")
    assert status
    assert "iscsi_chap_file" in said


def test_uri_with_a_password_goes_nowhere_and_is_not_repeated(tmp_path: Path) -> None:
    with telling(tmp_path) as teller:
        status, said = teller.run(f"tapekey drive show iscsi://ada%{SECRET}@127.0.0.1:3260/{TARGET}/0 --trace t")
    assert status
    assert SECRET not in said
    assert "TAPEKEY_ISCSI_CHAP_FILE" in said


def test_our_name_is_open_iscsis_or_made_of_the_hosts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "initiatorname.iscsi"
    monkeypatch.setattr(wiring, "INITIATOR_FILE", file)
    assert wiring._initiator().startswith("iqn.2026-11.invalid.tapekey:")
    file.write_text("## DO NOT EDIT\nInitiatorName=iqn.1993-08.org.debian:01:abc\n")
    assert wiring._initiator() == "iqn.1993-08.org.debian:01:abc"


def test_what_is_no_drive_says_which_forms_there_are() -> None:
    with pytest.raises(Usage) as refused, wiring.drive("iscsi:"):
        pass
    assert "iscsi://HOST" in refused.value.mend

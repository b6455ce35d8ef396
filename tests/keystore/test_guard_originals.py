"""The page that stood in a drive before us: the first for good, until it is put back."""

from pathlib import Path

from tapekey.keystore import guard_originals
from tests.rig import rig


def test_the_first_page_stays_whatever_is_kept_later(tmp_path: Path) -> None:
    with rig(tmp_path, inserted=False) as agent, agent.manager.store.writing() as transaction:
        guard_originals.keep(transaction, "D", b"naa", b"first", b"saved")
        guard_originals.keep(transaction, "D", b"naa", b"ours", b"ours")
        kept = guard_originals.get(transaction, "D")
        assert kept is not None
        assert (kept.current, kept.saved) == (b"first", b"saved")


def test_what_is_put_back_is_forgotten_and_what_never_was_is_no_error(tmp_path: Path) -> None:
    with rig(tmp_path, inserted=False) as agent, agent.manager.store.writing() as transaction:
        guard_originals.forget(transaction, "D")
        guard_originals.keep(transaction, "D", b"", b"first", b"saved")
        guard_originals.forget(transaction, "D")
        assert guard_originals.get(transaction, "D") is None

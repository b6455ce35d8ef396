"""What the guest boots from is kept whole or not at all, and built anew when an input changes."""

from pathlib import Path

import pytest

from tests.kernel import cache


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAPEKEY_CACHE", str(tmp_path / "cache"))


def build(place: Path) -> None:
    (place / "half").touch()
    (place / "other half").touch()


def test_what_was_built_is_kept() -> None:
    built = cache.kept("guest", build)
    assert sorted(path.name for path in built.iterdir()) == ["half", "other half"]
    (built / "mark").touch()
    assert (cache.kept("guest", build) / "mark").exists()


@pytest.mark.parametrize("end", [cache.Unavailable("no mirror"), KeyboardInterrupt()])
def test_interrupted_build_leaves_nothing(end: BaseException) -> None:
    def interrupted(place: Path) -> None:
        (place / "half").touch()
        raise end

    with pytest.raises(type(end)):
        cache.kept("guest", interrupted)
    assert {path.name for path in cache.directory().iterdir()} == {"lock"}


def test_what_a_killed_build_left_is_swept_away() -> None:
    left = cache.directory() / ".building-left"
    left.mkdir(parents=True)
    cache.kept("guest", build)
    assert not left.exists()


def test_changed_file_changes_the_name(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("one")
    before = cache.digest("bookworm", file)
    file.write_text("two")
    assert before != cache.digest("bookworm", file)
    assert cache.digest("a", "bc") != cache.digest("ab", "c")


def test_failed_program_is_told_with_its_last_words() -> None:
    with pytest.raises(cache.Unavailable, match="status 3: no luck"):
        cache.run("sh", "-c", "echo no luck >&2; exit 3")
    with pytest.raises(cache.Unavailable, match="not installed"):
        cache.run("no-such-program")

"""What is read off apt and the lock file."""

from tests.kernel import guest_image, userland

SHOWN = """\
Package: linux-image-amd64
Version: 7.3.4-1~bpo13+1
Depends: linux-base (>= 1), linux-image-7.3.4+deb13-amd64 (= 7.3.4-1~bpo13+1)
Description: Linux for 64-bit PCs (meta-package)
"""
LOCK = """\
cffi==2.1.1 \\
    --hash=sha256:aa
mypy==2.4.1 \\
    --hash=sha256:bb \\
    --hash=sha256:cc
pytest==9.2.0 ; python_version >= '3.11' \\
    --hash=sha256:dd
"""


def test_kernel_is_the_one_that_the_metapackage_depends_on() -> None:
    assert guest_image.newest(SHOWN) == "7.3.4+deb13-amd64"


def test_lock_keeps_what_the_guest_uses_with_its_hashes() -> None:
    wanted = userland.wanted(LOCK)
    assert "mypy" not in wanted
    assert "sha256:bb" not in wanted
    assert wanted.count("sha256:") == 2

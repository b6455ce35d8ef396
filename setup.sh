#!/bin/sh
# Set-up for `make demo` (run) and `make test` (test): a virtual environment in .venv with locked dependencies, and
# for the tests the Debian packages whose programs they start. Does nothing that is already done.
set -eu
cd "$(dirname "$0")"
kind=${1:?usage: setup.sh run|test|kernel}

say() { printf 'setup: %s\n' "$*"; }
die() { printf 'setup: %s\n' "$*" >&2; exit 1; }

# Debian packages, through apt when root; otherwise a message that names them.
packages() {
    missing=
    for package in "$@"; do
        [ "$(dpkg-query -W -f '${Status}' "$package" 2>/dev/null)" = 'install ok installed' ] || missing="$missing $package"
    done
    [ -n "$missing" ] || return 0
    command -v apt-get >/dev/null || die "these Debian packages, or what your system calls them, are needed:$missing"
    [ "$(id -u)" = 0 ] || die "these packages are missing; as root: apt-get install$missing"
    say "installing$missing"
    export DEBIAN_FRONTEND=noninteractive
    # shellcheck disable=SC2086 # a list of words
    apt-get install -qq -y --no-install-recommends $missing >/dev/null 2>&1 || {
        apt-get update -qq && apt-get install -qq -y --no-install-recommends $missing >/dev/null
    }
}

# What builds and runs the kernel guest, and the tape that it reaches on this host; on top of `test`.
if [ "$kind" = kernel ]; then
    packages qemu-system-x86 debootstrap debian-archive-keyring cpio e2fsprogs kmod
    exit 0
fi

python=$(command -v python3 || true)
[ -n "$python" ] || { packages python3 python3-venv; python=python3; }
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || die "python 3.11 or newer is needed, $python is older"
"$python" -c 'import ensurepip, venv' 2>/dev/null || packages python3-venv
[ "$kind" = run ] || [ -e "$("$python" -c 'import sysconfig; print(sysconfig.get_path("include"))')/Python.h" ] || packages python3-dev
[ "$kind" = run ] || packages stenc sg3-utils umockdev gir1.2-umockdev-1.0 python3-gi mtx tgt libiscsi-bin libiscsi-dev \
    gcc libc6-dev libssl-dev groff-base

stamp=.venv/ready-$kind
lock=requirements/$kind.txt
if [ "$(cat "$stamp" 2>/dev/null)" != "$(cat pyproject.toml "$lock" | cksum)" ]; then
    say "making the virtual environment .venv ($kind)"
    [ -x .venv/bin/python ] || "$python" -m venv .venv
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r "$lock"
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps --editable .
    cat pyproject.toml "$lock" | cksum >"$stamp"
fi

# SG_IO and fast key wrap are compiled; without a compiler everything else works, and a message says so.
stamp=.venv/built-native
if [ "$(cat "$stamp" 2>/dev/null)" != "$(cat native/* | cksum)" ] || ! ls agent/tapekey/native.*.so >/dev/null 2>&1; then
    if .venv/bin/python native/build.py 2>.venv/native.log; then
        cat native/* | cksum >"$stamp"
    else
        tail -n 1 .venv/native.log
        [ "$kind" = run ] || die "the tests need tapekey.native; the compiler's words are in .venv/native.log"
    fi
fi

#!/bin/sh
# What `make install` does. Variables, each with a default:
#   DESTDIR       put before every path, for packagers
#   PREFIX        /usr/local      bin, lib/tapekey (a virtual environment of its own), share
#   SYSTEMLIB     /usr/lib        where udev, sysusers and tmpfiles look
#   PYTHON        python3         the interpreter that will run tapekey
#   DEPENDENCIES  locked          with "none", the interpreter's own packages are used instead
set -eu
cd "$(dirname "$0")"
DESTDIR=${DESTDIR:-} PREFIX=${PREFIX:-/usr/local} SYSTEMLIB=${SYSTEMLIB:-/usr/lib}
PYTHON=${PYTHON:-python3} DEPENDENCIES=${DEPENDENCIES:-locked}
builder=.venv/bin/python
home=$PREFIX/lib/tapekey
share=$DESTDIR$PREFIX/share
[ -x "$builder" ] || ./setup.sh run
place() { install -D -m 0644 "$1" "$2"; }

wheels=$(mktemp -d)
trap 'rm -rf "$wheels" build/lib build/bdist.*' EXIT
rm -rf build/lib
quietly='--quiet --disable-pip-version-check --no-deps'
# shellcheck disable=SC2086 # lists of words, here and below
"$builder" -m pip wheel $quietly --no-build-isolation --wheel-dir "$wheels" .

rm -rf "$DESTDIR$home"
case $DEPENDENCIES in locked) own= ;; none) own=--system-site-packages ;; *) echo "DEPENDENCIES: locked or none" >&2; exit 1 ;; esac
"$PYTHON" -m venv --without-pip $own "$DESTDIR$home"
into="$builder -m pip --python $DESTDIR$home/bin/python install --no-compile $quietly"
if [ "$DEPENDENCIES" = locked ]; then # setuptools is there to build with, not to run with
    awk '/^[a-z]/ { skip = /^setuptools=/ } !skip' requirements/run.txt >"$wheels/run.txt"
    $into --require-hashes -r "$wheels/run.txt"
fi
$into "$wheels"/tapekey-*.whl
# These know the directory in which they were made, not the one in which they will be.
find "$DESTDIR$home/bin" -type f -delete
sed -i '/^command = /d' "$DESTDIR$home/pyvenv.cfg"

mkdir -p "$DESTDIR$PREFIX/bin"
cat >"$DESTDIR$PREFIX/bin/tapekey" <<END
#!$home/bin/python -I
from tapekey.cli import main

main()
END
chmod 0755 "$DESTDIR$PREFIX/bin/tapekey"

"$builder" -m tapekey.cli.manual "$share/man/man1"
"$builder" -m tapekey.cli.completion "$share"
place udev/61-tapekey.rules "$DESTDIR$SYSTEMLIB/udev/rules.d/61-tapekey.rules"
place udev/tapekey.sysusers "$DESTDIR$SYSTEMLIB/sysusers.d/tapekey.conf"
place udev/tapekey.tmpfiles "$DESTDIR$SYSTEMLIB/tmpfiles.d/tapekey.conf"
place udev/72-tapekey-private.rules "$share/tapekey/udev/72-tapekey-private.rules"
place udev/README.md "$share/tapekey/udev/README.md"
place LICENSE "$share/doc/tapekey/LICENSE"

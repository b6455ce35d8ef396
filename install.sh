#!/bin/sh
# What `make install` does, for an upgrade too. Variables, each with a default:
#   DESTDIR       put before every path, for packagers
#   PREFIX        /usr/local      bin, lib/tapekey (a virtual environment for each version), share
#   SYSTEMLIB     /usr/lib        where udev, sysusers, tmpfiles and systemd look
#   PYTHON        python3         the interpreter that will run tapekey
#   DEPENDENCIES  locked          with "none", the interpreter's own packages are used instead
#   WHEEL                         a wheel that was made before, instead of one of this directory
# An agent that runs goes on from its own version's directory until it is restarted. The version that was in use is
# kept: `./install.sh back` puts it into use again.
set -eu
cd "$(dirname "$0")"
DESTDIR=${DESTDIR:-} PREFIX=${PREFIX:-/usr/local} SYSTEMLIB=${SYSTEMLIB:-/usr/lib}
PYTHON=${PYTHON:-python3} DEPENDENCIES=${DEPENDENCIES:-locked}
WHEEL=${WHEEL:-}
builder=.venv/bin/python
versions=$PREFIX/lib/tapekey
share=$DESTDIR$PREFIX/share
place() { install -D -m 0644 "$1" "$2"; }

# use VERSION FORMER: whatever is started sees the one or the other, never neither. Links are relative, as DESTDIR goes away.
use() {
    mkdir -p "$DESTDIR$PREFIX/bin"
    [ "$2" = none ] || ln -sfn "$2" "$DESTDIR$versions/former"
    ln -sfn "../lib/tapekey/$1/bin/tapekey" "$DESTDIR$PREFIX/bin/.tapekey.new"
    mv -T "$DESTDIR$PREFIX/bin/.tapekey.new" "$DESTDIR$PREFIX/bin/tapekey"
}
in_use() { basename "$(dirname "$(dirname "$(readlink "$DESTDIR$PREFIX/bin/tapekey" || echo none/none/none)")")"; }

if [ "${1:-}" = back ]; then
    now=$(in_use)
    before=$(readlink "$DESTDIR$versions/former") && [ -d "$DESTDIR$versions/$before" ] || {
        echo "install: there is no version to go back to" >&2
        exit 1
    }
    use "$before" "$now"
    echo "install: $before instead of $now; now: systemctl restart tapekey-agent"
    exit 0
fi
[ -x "$builder" ] || ./setup.sh run

wheels=$(mktemp -d)
trap 'rm -rf "$wheels" build/lib build/bdist.*' EXIT
quietly='--quiet --disable-pip-version-check --no-deps'
if [ -n "$WHEEL" ]; then
    cp "$WHEEL" "$wheels"
else
    rm -rf build/lib
    # shellcheck disable=SC2086 # lists of words, here and below
    "$builder" -m pip wheel $quietly --no-build-isolation --wheel-dir "$wheels" .
fi
wheel=$(echo "$wheels"/tapekey-*.whl)
version=$(basename "$wheel" | cut -d - -f 2)-$(sha256sum <"$wheel" | cut -c 1-8)
former=$(in_use)
home=$versions/$version
if [ "$version" = "$former" ]; then # it may be running, from just there
    echo "install: $version is in use already"
    exit 0
fi

rm -rf "$DESTDIR$home"
case $DEPENDENCIES in locked) own= ;; none) own=--system-site-packages ;; *) echo "DEPENDENCIES: locked or none" >&2; exit 1 ;; esac
"$PYTHON" -m venv --without-pip $own "$DESTDIR$home"
into="$builder -m pip --python $DESTDIR$home/bin/python install --no-compile $quietly"
if [ "$DEPENDENCIES" = locked ]; then # setuptools is there to build with, not to run with
    awk '/^[a-z]/ { skip = /^setuptools=/ } !skip' requirements/run.txt >"$wheels/run.txt"
    $into --require-hashes -r "$wheels/run.txt"
fi
# shellcheck disable=SC2086
$into "$wheel"
# These know the directory in which they were made, not the one in which they will be.
find "$DESTDIR$home/bin" -type f -delete
sed -i '/^command = /d' "$DESTDIR$home/pyvenv.cfg"

cat >"$DESTDIR$home/bin/tapekey" <<END
#!$home/bin/python -I
from tapekey.cli import main

main()
END
chmod 0755 "$DESTDIR$home/bin/tapekey"

"$builder" -m tapekey.cli.manual "$share/man/man1"
"$builder" -m tapekey.cli.completion "$share"
place udev/61-tapekey.rules "$DESTDIR$SYSTEMLIB/udev/rules.d/61-tapekey.rules"
place udev/tapekey.sysusers "$DESTDIR$SYSTEMLIB/sysusers.d/tapekey.conf"
place udev/tapekey.tmpfiles "$DESTDIR$SYSTEMLIB/tmpfiles.d/tapekey.conf"
mkdir -p "$DESTDIR$SYSTEMLIB/systemd/system"
sed "s,@PREFIX@,$PREFIX," udev/tapekey-agent.service >"$wheels/unit"
place "$wheels/unit" "$DESTDIR$SYSTEMLIB/systemd/system/tapekey-agent.service"
place udev/72-tapekey-private.rules "$share/tapekey/udev/72-tapekey-private.rules"
place udev/README.md "$share/tapekey/udev/README.md"
place LICENSE "$share/doc/tapekey/LICENSE"
install -D -m 0755 uninstall.sh "$share/tapekey/uninstall.sh"

use "$version" "$former"
# What is older goes, unless something still runs from it.
for path in "$DESTDIR$versions"/*/; do
    case $(basename "$path") in "$version" | "$former" | former) continue ;; esac
    grep -qsF "$path" /proc/[0-9]*/cmdline || rm -rf "$path"
done
[ "$former" = none ] || echo "install: $version instead of $former; now: systemctl daemon-reload && systemctl restart tapekey-agent"

#!/bin/sh
# What `make uninstall` does: takes away what install.sh put down, with its variables DESTDIR, PREFIX and SYSTEMLIB.
# Refuses while a drive is closed (its own mode page is in the keystore) or a keystore exists, or where that cannot be
# found out. Neither configuration nor keystore is ever removed.
#   --keep-keys      go on; the keystore stays where it is
#   --keep-closed    go on; drives stay closed, until tapekey is installed again and `drive release` has been done
set -eu
DESTDIR=${DESTDIR:-} PREFIX=${PREFIX:-/usr/local} SYSTEMLIB=${SYSTEMLIB:-/usr/lib}
launcher=$DESTDIR$PREFIX/bin/tapekey
share=$DESTDIR$PREFIX/share
refuse() { printf 'uninstall: %s\n' "$@" >&2; exit 1; }

keep_keys= keep_closed=
for option in "$@"; do
    case $option in
    --keep-keys) keep_keys=yes ;;
    --keep-closed) keep_closed=yes ;;
    *) refuse "options: --keep-keys, --keep-closed" ;;
    esac
done

tapekey() {
    program=$(readlink -f "$launcher")
    "${program%/*}/python" -I "$program" "$@"
}

status=0
told=$(tapekey drive list --approved --json 2>&1) || status=$?
closed=$(printf '%s\n' "$told" | awk -F '"' '/"serial":/ { serial = $4 } /"closed": true/ { print serial }')
case $status in
0)
    [ -z "$closed" ] || [ -n "$keep_closed" ] || refuse "these drives are closed: $(echo $closed)" \
        "try: tapekey drive release DRIVE, for each; or --keep-closed"
    [ -n "$keep_keys" ] || refuse "there is a keystore: without it no tape can be read" \
        "try: copy its directory and what opens it to another host, and try a restore there; then --keep-keys"
    ;;
110) ;; # there is none, so no drive was closed by us
*)
    [ -n "$keep_keys" ] && [ -n "$keep_closed" ] || refuse "it cannot be found out whether drives are closed: $told" \
        "try: set key_file in /etc/tapekey/tapekey.toml; or both --keep-keys and --keep-closed"
    ;;
esac

# Stopping the agent changes nothing in a drive.
if [ -z "$DESTDIR" ] && [ "$SYSTEMLIB" = /usr/lib ] && [ -d /run/systemd/system ]; then
    systemctl disable --quiet --now tapekey-agent || true
fi
rm -rf "$DESTDIR$PREFIX/lib/tapekey" "$share/tapekey" "$share/doc/tapekey"
rm -f "$launcher" "$share"/man/man1/tapekey.1 "$share"/man/man1/tapekey-*.1 \
    "$share/bash-completion/completions/tapekey" "$share/zsh/site-functions/_tapekey" \
    "$share/fish/vendor_completions.d/tapekey.fish" \
    "$DESTDIR$SYSTEMLIB/udev/rules.d/61-tapekey.rules" "$DESTDIR$SYSTEMLIB/sysusers.d/tapekey.conf" \
    "$DESTDIR$SYSTEMLIB/tmpfiles.d/tapekey.conf" "$DESTDIR$SYSTEMLIB/systemd/system/tapekey-agent.service"
echo "uninstall: done; /etc/tapekey and the keystore were left as they are"

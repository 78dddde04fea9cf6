#!/bin/sh
# Installs into folders of its own, and holds what lies there to what Documentation/Service.md says: the units are
# right and hardened, the daemon runs from there, every bad start ends in one line, and nothing is left behind.
# Scripts/test-install.sh [FOLDER WITH THE PROGRAMS]
set -eu

cd "$(dirname "$0")/.."
BINARIES=$(realpath "${1:-.build/release}")
export BINARIES
work=$(mktemp -d)
# Where a daemon that gives up its rights can look.
chmod 755 "$work"
daemon=""
holder=""
cleanup() {
    status=$?
    trap - EXIT
    for process in $daemon $holder; do kill "$process" 2>/dev/null || true; done
    rm -rf "$work"
    exit $status
}
trap cleanup EXIT
trap 'exit 130' INT TERM HUP

fail() {
    printf 'test-install: %s\n' "$@" >&2
    exit 1
}
install() { Scripts/install.sh install >"$work/said" 2>&1 || fail "make install:" "$(cat "$work/said")"; }
passed() { echo "test-install: $1"; }

# -- A package's way: everything under DESTDIR, and nothing left after uninstall.
export PREFIX=/usr DESTDIR="$work/root"
install
for file in etc/anygptd/config.toml usr/bin/anygptd usr/bin/anygpt usr/lib/systemd/system/anygptd.service \
    usr/lib/systemd/system/anygptd.socket usr/lib/systemd/user/anygptd-desktop.service \
    usr/share/man/man8/anygptd.8 usr/share/doc/anygptd/LICENSE usr/share/anygptd/models/pocket/llama/config.json; do
    [ -f "$DESTDIR/$file" ] || fail "$file was not installed"
done
! grep -rlE '@[A-Z]+@|'"$work" "$DESTDIR/etc" "$DESTDIR/usr/lib" "$DESTDIR/usr/share/man" ||
    fail "a place was not filled in, or DESTDIR is named"
relative=$(grep -E '^(llama|speech_tokenizer|soundstorm|encodec|voice|greeting|web|folder) = "[^/"]' \
    "$DESTDIR/etc/anygptd/config.toml" || true)
[ -z "$relative" ] || fail "a path of the installed configuration is not whole:" "$relative"
install
[ ! -e "$DESTDIR/etc/anygptd/config.toml.new" ] || fail "the second installation does not know its own configuration"
Scripts/install.sh uninstall >/dev/null
left=$(find "$DESTDIR" -mindepth 1)
[ -z "$left" ] || fail "uninstall left:" "$left"
passed "DESTDIR: installed twice, and nothing is left after uninstall"

# -- A person's way: a prefix to run from.
export PREFIX="$work/local" DESTDIR=""
install
config=$PREFIX/etc/anygptd/config.toml
echo "# mine" >>"$config"
touch "$PREFIX/bin/somebody-elses"
sed -i '1i # an older default' "$PREFIX/share/anygptd/config.toml"
install
grep -q "was edited and stays" "$work/said" || fail "an edited configuration is not spoken of"
tail -n 1 "$config" | grep -q mine && [ -f "$config.new" ] || fail "an edited configuration did not stay"
passed "an edited configuration stays, and the new one lies beside it"

if command -v man >/dev/null; then man=yes; else man=no; fi
units="$PREFIX/lib/systemd/system/anygptd.service $PREFIX/lib/systemd/system/anygptd.socket"
# A colon at the end: beside the system's own.
problems=$(SYSTEMD_UNIT_PATH="$PREFIX/lib/systemd/system:" MANPATH="$PREFIX/share/man" \
    systemd-analyze verify --man=$man $units 2>&1 | grep -F anygptd || true)
[ -z "$problems" ] || fail "systemd-analyze verify:" "$problems"
problems=$(XDG_RUNTIME_DIR=$work SYSTEMD_UNIT_PATH="$PREFIX/lib/systemd/user:" MANPATH="$PREFIX/share/man" systemd-analyze --user verify \
    --man=$man "$PREFIX/lib/systemd/user/anygptd-desktop.service" 2>&1 | grep -F anygptd || true)
[ -z "$problems" ] || fail "systemd-analyze --user verify:" "$problems"
level=$(systemd-analyze security --offline=true --threshold=20 "$PREFIX/lib/systemd/system/anygptd.service" | tail -n 1) ||
    fail "exposed more than 2.0: $level"
stated=$(sed -n 's/.*exposure level of \([0-9.]*\).*/\1/p' Documentation/Service.md)
echo "$level" | grep -qF " $stated " || fail "Documentation/Service.md states an exposure level of $stated: $level"
passed "systemd-analyze verify; $(echo "$level" | sed 's/^[^A-Za-z]*//')"

# -- The daemon runs from where it was installed, in a folder that is not its own.
sed 's/port = 8787/port = 0/' "$config" >"$config.test"
: >"$work/log"
(cd / && exec "$PREFIX/bin/anygptd" --config "$config.test" 2>"$work/log") &
daemon=$!
until grep -q "listening on" "$work/log"; do
    kill -0 $daemon 2>/dev/null || fail "the installed daemon did not start:" "$(cat "$work/log")"
    sleep 0.1
done
url=$(sed -n 's|.*listening on ws://\([^/]*\)/.*|http://\1|p' "$work/log")
"$PREFIX/bin/anygpt" health --url "$url" | grep -q "^ok" || fail "the installed daemon is not well"
port=${url##*:}
passed "the installed daemon serves"

# -- Bad starts. bad STATUS WORDS COMMAND...: one line on standard error that has the words, and the exit status.
bad() {
    wanted=$1 words=$2
    shift 2
    status=0
    (cd / && timeout 60 "$@") >"$work/out" 2>&1 || status=$?
    grep -v -e ' info ' -e ' notice ' "$work/out" >"$work/lines" || true
    [ "$status" = "$wanted" ] || fail "\"$words\" should have ended with $wanted, not $status:" "$(cat "$work/out")"
    [ "$(wc -l <"$work/lines")" = 1 ] && grep -q "^anygpt[a-z ]*: .*$words" "$work/lines" ||
        fail "expected one line with \"$words\":" "$(cat "$work/out")"
}
# with EDIT: the installed configuration, edited by sed.
with() {
    sed -e 's/port = 8787/port = 0/' -e "$1" "$config" >"$work/bad.toml"
    chmod 644 "$work/bad.toml"
}
run="$PREFIX/bin/anygptd --config $work/bad.toml"
models=$PREFIX/share/anygptd/models/pocket

with "s/^port = .*/port = $port/"
bad 69 "another program listens there.*server.port" $run
kill $daemon && wait $daemon || fail "the installed daemon did not end in order"
daemon=""
with 's/^host = .*/host = "192.0.2.1"/'
bad 69 "set server.host to an address of this machine" $run
if [ "$(id -u)" = 0 ] && [ "$(cat /proc/sys/net/ipv4/ip_unprivileged_port_start)" -gt 80 ]; then
    with 's/^port = .*/port = 80/'
    bad 77 "server.port from 1024 on.*anygptd.socket" setpriv --reuid=65534 --regid=65534 --clear-groups $run
    with ''
    chmod 600 "$work/bad.toml"
    bad 78 "cannot be read.*Permission denied" setpriv --reuid=65534 --regid=65534 --clear-groups $run
fi
with "s|$models/llama|/nowhere/llama|"
bad 66 "model.llama: there is no folder /nowhere/llama" $run
with "s|$models/speech\"|/nowhere/speech\"|"
bad 66 "model.speech_tokenizer: there is no folder /nowhere/speech" $run
with "s|$models/speech/speechtok|/nowhere/speechtok|"
bad 66 "model.soundstorm: there is no file /nowhere/" $run
with "s|$models/voice.wav|/nowhere/voice.wav|"
bad 66 "model.voice: there is no file /nowhere/voice.wav" $run
if grep -q '^certificate = ""' "$config"; then
    with 's|^certificate = ""|certificate = "/nowhere/cert.pem"|; s|^private_key = ""|private_key = "/nowhere/key.pem"|'
    bad 78 "/nowhere/cert.pem.*No such file" $run
fi
with 's/^threads = 0/threads = "many"/'
bad 78 "compute.threads: expected an integer" $run
bad 78 "No such file" "$PREFIX/bin/anygptd" --config /nowhere.toml
bad 78 "is a folder" "$PREFIX/bin/anygptd" --config /
with ''
bad 78 "descriptor 3 is not a socket" \
    sh -c "exec 3</dev/null; export LISTEN_FDS=1 LISTEN_PID=\$\$; exec $run"
bad 78 "2 listening sockets" sh -c "export LISTEN_FDS=2 LISTEN_PID=\$\$; exec $run"
bad 78 "NOTIFY_SOCKET=nowhere" env NOTIFY_SOCKET=nowhere $run
bad 1 "no daemon answers at http://127.0.0.1:$port" "$PREFIX/bin/anygpt" health --url "http://127.0.0.1:$port"
bad 2 "no daemon listens" "$PREFIX/bin/anygpt" talk --url "ws://127.0.0.1:$port/v1/realtime" \
    --file "$models/demo/question.wav" --out "$work/reply.wav"
passed "every bad start ends in one line and with its status"

rm "$config.test"
Scripts/install.sh uninstall >/dev/null
left=$(find "$PREFIX" -type f | sort | tr '\n' ' ')
[ "$left" = "$PREFIX/bin/somebody-elses $config " ] || fail "uninstall left: $left"
passed "uninstall leaves what is not ours, and an edited configuration"

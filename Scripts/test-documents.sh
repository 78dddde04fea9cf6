#!/bin/sh
# Runs the commands of the documents: every block that is fenced as ```sh, document by document, in the order of the text.
# What is fenced as ```toml is set in config.toml, where the key has to be. Each document has a copy of the sources.
# Scripts/test-documents.sh FOLDER-WITH-THE-PROGRAMS DOCUMENT...
#
# What would change this machine is done beside it: /usr/local, /etc, /srv, /tmp and the home are folders of the test,
# sudo does nothing, and systemctl knows the units that were installed. It starts and stops the daemon by what they say.
set -eu

cd "$(dirname "$0")/.."
BINARIES=$(realpath "$1")
shift
work=$(mktemp -d)
PREFIX=$work/usr/local
SOURCES=$PWD
mkdir -p "$work/bin" "$work/home" "$work/tmp" "$work/srv" "$work/etc" "$work/run"
# What pip has fetched before need not be fetched again.
export PIP_CACHE_DIR="${PIP_CACHE_DIR:-$HOME/.cache/pip}"
export BINARIES PREFIX DOCUMENT_TEST="$work" HOME="$work/home" PATH="$work/bin:$PREFIX/bin:$PATH"
stop_all() {
    for file in "$work"/run/*; do
        [ -f "$file" ] || continue
        kill "$(cat "$file")" 2>/dev/null || true
        rm -f "$file"
    done
}
cleanup() {
    status=$?
    trap - EXIT
    stop_all
    rm -rf "$work"
    exit $status
}
trap cleanup EXIT
trap 'exit 130' INT TERM HUP

printf '#!/bin/sh\nexec "$@"\n' >"$work/bin/sudo"
cat >"$work/bin/configure" <<'STUB'
#!/usr/bin/awk -f
# Writes config.toml with the values of the standard input: configure - config.toml
/^\[/ { section = $0 }
/^[a-z_]+ = / && NR == FNR { value[section, $1] = $0; next }
NR == FNR { next }
/^[a-z_]+ = / && ((section, $1) in value) { print value[section, $1]; delete value[section, $1]; next }
{ print }
END { for (key in value) { print "configure: config.toml does not have " value[key] >"/dev/stderr"; exit 1 } }
STUB
cat >"$work/bin/journalctl" <<'STUB'
#!/bin/sh
tail -n 50 "$DOCUMENT_TEST/log"
STUB
cat >"$work/bin/make" <<'STUB'
#!/bin/sh
# The targets that take long or do not return are replaced by what they lead to.
set -eu
targets=""
for word; do
    case $word in
    *=*) export "$word" ;;
    *) targets="$targets $word" ;;
    esac
done
for target in $targets; do
    case $target in
    build | test) /usr/bin/make -n "$target" >/dev/null ;;
    run)
        # Who runs it again has ended it before.
        if [ -f "$DOCUMENT_TEST/run/make-run" ]; then
            process=$(cat "$DOCUMENT_TEST/run/make-run")
            kill "$process"
            while kill -0 "$process" 2>/dev/null; do sleep 0.1; done
        fi
        "$BINARIES/anygptd" --config config.toml >>"$DOCUMENT_TEST/log" 2>&1 &
        echo $! >"$DOCUMENT_TEST/run/make-run"
        "$BINARIES/anygpt" health --config config.toml --wait 60
        ;;
    demo) Scripts/demo.sh config.toml ;;
    demo-picture) Scripts/demo.sh config.toml picture ;;
    demo-music) Scripts/demo.sh config.toml music ;;
    install | uninstall) Scripts/install.sh "$target" ;;
    *) /usr/bin/make -n "$target" >/dev/null ;;
    esac
done
STUB
cat >"$work/bin/systemctl" <<'STUB'
#!/bin/sh
set -eu
verb="" now="" manager=system units=""
for word; do
    case $word in
    --now) now=yes ;;
    --user) manager=user ;;
    -*) ;;
    *) if [ -z "$verb" ]; then verb=$word; else units="$units $word"; fi ;;
    esac
done
start() {
    command=$(sed -n 's/^ExecStart=//p' "$PREFIX/lib/systemd/system/anygptd.service")
    # A real socket activation, by the tool that systemd has for tests.
    [ "$1" != anygptd.socket ] || command="systemd-socket-activate --listen=$(
        sed -n 's/^ListenStream=//p' "$PREFIX/lib/systemd/system/anygptd.socket") $command"
    $command >>"$DOCUMENT_TEST/log" 2>&1 &
    echo $! >"$DOCUMENT_TEST/run/$1"
}
stop() {
    [ -f "$DOCUMENT_TEST/run/$1" ] || return 0
    process=$(cat "$DOCUMENT_TEST/run/$1")
    rm "$DOCUMENT_TEST/run/$1"
    kill "$process" 2>/dev/null || return 0
    while kill -0 "$process" 2>/dev/null; do sleep 0.1; done
}
case $verb in
daemon-reload | enable | disable | start | stop | restart | status) ;;
*) echo "systemctl: the documents' test does not know \"$verb\"" >&2 && exit 1 ;;
esac
for unit in $units; do
    case $unit in *.*) ;; *) unit=$unit.service ;; esac
    [ -f "$PREFIX/lib/systemd/$manager/$unit" ] || { echo "systemctl: there is no $manager unit $unit" >&2 && exit 1; }
    # A user's unit needs a sound server, which is not this test's.
    [ "$manager" = system ] || continue
    case $verb$now in
    enableyes | start) start "$unit" ;;
    disableyes | stop) stop "$unit" ;;
    restart)
        # A service that its socket has started goes on at that socket.
        [ ! -f "$DOCUMENT_TEST/run/anygptd.socket" ] || unit=anygptd.socket
        stop "$unit" && start "$unit"
        ;;
    esac
done
STUB
chmod +x "$work"/bin/*

for document; do
    rm -rf "$work/sources"
    mkdir "$work/sources"
    tar -C "$SOURCES" --exclude './.*' --exclude ./Training -cf - . | tar -C "$work/sources" -xf -
    cd "$work/sources"
    awk '/^```sh$/ { on = 1; next }
        /^```toml$/ { on = 2; print "configure - config.toml >changed.toml <<\"END\""; next }
        /^```/ { if (on == 2) print "END\nmv changed.toml config.toml"; on = 0 }
        on' "$document" |
        sed -e "s|/tmp/|$work/tmp/|g" -e "s|/usr/local|$PREFIX|g" -e "s|/etc/systemd|$work/etc/systemd|g" \
            -e "s|/srv/|$work/srv/|g" -e "s|\.build/release|$BINARIES|g" \
            -e '/--file\|--list/! s,^[^ ]*/anygpt talk,Scripts/test-desktop.sh ask &,' >"$work/commands"
    [ -s "$work/commands" ] || continue
    : >"$work/log"
    # Where a document supposes a daemon, there is one.
    case $document in
    *Python.md) make run ;;
    *Desktop.md)
        Scripts/test-desktop.sh start "$work/sound"
        mv "$work/sound/pid" "$work/run/sound"
        export PULSE_SERVER="unix:$work/sound/native"
        make run
        # What the last of its commands leads to: a daemon that is spoken to.
        echo "Scripts/test-desktop.sh say" >>"$work/commands"
        ;;
    esac >/dev/null
    if ! sh -eux "$work/commands" >"$work/output" 2>&1; then
        sed "s|^|$document: |" "$work/output" >&2
        sed "s|^|the daemon: |" "$work/log" >&2
        exit 1
    fi
    stop_all
    unset PULSE_SERVER
    echo "test-documents: the $(grep -c . "$work/commands") commands of $document work"
done

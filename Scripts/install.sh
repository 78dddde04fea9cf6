#!/bin/sh
# Puts anygptd where a system has its programs, and takes it away again: Scripts/install.sh install|uninstall.
#
# PREFIX       /usr/local    where everything lies
# SYSCONFDIR   PREFIX/etc    where the configuration lies (/etc with PREFIX=/usr)
# DESTDIR                    a folder that stands for the root, for whoever makes a package
# BINARIES     .build/release
#
# What was written is listed in PREFIX/share/anygptd/manifest, and that alone is taken away.
set -eu

cd "$(dirname "$0")/.."
PREFIX=${PREFIX:-/usr/local}
if [ "$PREFIX" = /usr ]; then default=/etc; else default=$PREFIX/etc; fi
SYSCONFDIR=${SYSCONFDIR:-$default}
DESTDIR=${DESTDIR:-}
BINARIES=${BINARIES:-.build/release}
BINDIR=$PREFIX/bin
DATADIR=$PREFIX/share/anygptd
DOCDIR=$PREFIX/share/doc/anygptd
MANDIR=$PREFIX/share/man
UNITDIR=$PREFIX/lib/systemd
CONFIG=$SYSCONFDIR/anygptd/config.toml
manifest=$DATADIR/manifest

fail() {
    printf 'install: %s\n' "$@" >&2
    exit 1
}

for path in "$PREFIX" "$SYSCONFDIR" "${DESTDIR:-/}"; do
    case $path in
    *[!A-Za-z0-9/._+-]*) fail "\"$path\" has characters that a unit file cannot take: use letters, digits and /._+-" ;;
    /*) ;;
    *) fail "\"$path\" must begin with a slash" ;;
    esac
done

# Each line is "f PATH" for a file, "d PATH" for a folder that was not there before.
note() { printf '%s %s\n' "$1" "$2" >>"$DESTDIR$manifest.new"; }

folder() {
    [ ! -d "$DESTDIR$1" ] || return 0
    folder "$(dirname "$1")"
    mkdir "$DESTDIR$1" || fail "cannot write to $DESTDIR$PREFIX: use sudo, or another PREFIX or DESTDIR"
    echo "$1" >>"$created"
}

# put MODE SOURCE PATH
put() {
    folder "$(dirname "$3")"
    install -m "$1" "$2" "$DESTDIR$3"
    note f "$3"
}

# fill SOURCE: the text with the places filled in.
fill() {
    sed -e "s|@BINDIR@|$BINDIR|g" -e "s|@SYSCONFDIR@|$SYSCONFDIR|g" -e "s|@DATADIR@|$DATADIR|g" \
        -e "s|@DOCDIR@|$DOCDIR|g" "$1" >"$work/filled"
}

# The folders of a tree, and its files, but not what git does not know and Finder or an editor left.
tree() { find "$1" -type f ! -name '.*' ! -name '*~' | sort; }

install_all() {
    for program in anygptd anygpt; do
        [ -x "$BINARIES/$program" ] || fail "$BINARIES/$program is not built yet: run \`make build\` first"
        if ldd "$BINARIES/$program" | grep -q libswiftCore; then
            echo "install: $BINARIES/$program needs the Swift toolchain of this machine; \`make build\` makes one that does not" >&2
        fi
    done
    mkdir -p "$DESTDIR/"
    folder "$DATADIR"
    : >"$DESTDIR$manifest.new" || fail "cannot write to $DESTDIR$DATADIR: use sudo, or another PREFIX or DESTDIR"

    put 755 "$BINARIES/anygptd" "$BINDIR/anygptd"
    put 755 "$BINARIES/anygpt" "$BINDIR/anygpt"
    tree Models >"$work/files"
    while read -r file; do put 644 "$file" "$DATADIR/models/${file#Models/}"; done <"$work/files"
    if [ -d Clients/web ]; then
        tree Clients/web >"$work/files"
        while read -r file; do put 644 "$file" "$DATADIR/web/${file#Clients/web/}"; done <"$work/files"
    fi
    for file in LICENSE README.md Documentation/*.md Models/pocket/NOTICE Models/pocket/MODEL_CARD.md; do
        put 644 "$file" "$DOCDIR/$(basename "$file")"
    done
    for page in Documentation/man/*.[1-8]; do
        fill "$page"
        put 644 "$work/filled" "$MANDIR/man${page##*.}/$(basename "$page")"
    done
    for unit in Systemd/*.service Systemd/*.socket; do
        fill "$unit"
        put 644 "$work/filled" "$UNITDIR/system/$(basename "$unit")"
    done
    for unit in Systemd/user/*.service; do
        fill "$unit"
        put 644 "$work/filled" "$UNITDIR/user/$(basename "$unit")"
    done
    install_config

    # Folders that came now or with an earlier installation.
    old=$DESTDIR$manifest
    if [ -f "$old" ]; then grep '^d ' "$old" >>"$DESTDIR$manifest.new" || true; fi
    note f "$manifest"
    while read -r path; do note d "$path"; done <"$created"
    if [ -f "$old" ]; then
        # What an earlier version had, and this one has not.
        grep '^f ' "$old" | sort -u >"$work/before"
        grep '^f ' "$DESTDIR$manifest.new" | sort -u | comm -23 "$work/before" - | cut -c 3- >"$work/gone"
        while read -r path; do rm -f "$DESTDIR$path"; done <"$work/gone"
    fi
    mv "$DESTDIR$manifest.new" "$old"
    echo "install: anygptd is in $DESTDIR$PREFIX, its configuration in $DESTDIR$CONFIG"
    [ -n "$DESTDIR" ] || echo "install: start it with \`systemctl daemon-reload && systemctl enable --now anygptd\` ($DOCDIR/Service.md)"
}

# The configuration belongs to whoever edited it. Beside it, in DATADIR, lies what was installed.
install_config() {
    sed -e "s|\"Models/|\"$DATADIR/models/|g" -e "s|\"Clients/web\"|\"$DATADIR/web\"|g" \
        -e 's|^folder = "artifacts"|folder = ""|' config.toml >"$work/config"
    folder "$(dirname "$CONFIG")"
    if [ ! -f "$DESTDIR$CONFIG" ] || cmp -s "$DESTDIR$CONFIG" "$DESTDIR$DATADIR/config.toml"; then
        install -m 644 "$work/config" "$DESTDIR$CONFIG"
    elif ! cmp -s "$DESTDIR$CONFIG" "$work/config"; then
        put 644 "$work/config" "$CONFIG.new"
        echo "install: $CONFIG was edited and stays; this version's is $CONFIG.new"
    fi
    put 644 "$work/config" "$DATADIR/config.toml"
}

uninstall_all() {
    [ -f "$DESTDIR$manifest" ] || fail "nothing is installed in $DESTDIR$PREFIX: there is no $DESTDIR$manifest"
    cp "$DESTDIR$manifest" "$work/manifest"
    if cmp -s "$DESTDIR$CONFIG" "$DESTDIR$DATADIR/config.toml"; then
        rm -f "$DESTDIR$CONFIG"
    elif [ -f "$DESTDIR$CONFIG" ]; then
        echo "install: $CONFIG was edited and stays"
    fi
    grep '^f ' "$work/manifest" | cut -c 3- >"$work/files"
    while read -r path; do rm -f "$DESTDIR$path" || fail "cannot remove $DESTDIR$path: use sudo"; done <"$work/files"
    # The deepest first; those that somebody else uses are not empty.
    grep '^d ' "$work/manifest" | cut -c 3- | sort -ru >"$work/folders"
    while read -r path; do rmdir "$DESTDIR$path" 2>/dev/null || true; done <"$work/folders"
    echo "install: anygptd is gone from $DESTDIR$PREFIX"
}

work=$(mktemp -d)
created=$work/created
: >"$created"
trap 'rm -rf "$work"' EXIT
case ${1:-} in
install) install_all ;;
uninstall) uninstall_all ;;
*) fail "usage: Scripts/install.sh install|uninstall" ;;
esac

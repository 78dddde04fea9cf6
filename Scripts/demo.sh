#!/bin/sh
# Speaks a recorded question to the daemon and shows the answer: Scripts/demo.sh [CONFIG [QUESTION [FOLDER]]]. Pictures and
# music that come are saved in that folder. Starts a daemon for that time when none answers where the configuration says.
set -eu

cd "$(dirname "$0")/.."
config=${1:-config.toml}
binaries=${BINARIES:-.build/release}
anygpt=$binaries/anygpt
anygptd=$binaries/anygptd
question=Models/pocket/demo/${2:-question}
case ${2:-question} in
music) folder=${3:-music} ;;
*) folder=${3:-pictures} ;;
esac
reply=reply.wav
# Loading and warming up a model takes as long as it takes, but not this many seconds.
patience=120
daemon=""
log=""

fail() {
    printf 'demo: %s\n' "$@" >&2
    exit 1
}

# The daemon that was started here ends with the demo, however that ends.
cleanup() {
    status=$?
    trap - EXIT INT TERM HUP
    if [ -n "$daemon" ]; then
        kill "$daemon" 2>/dev/null || true
        wait "$daemon" 2>/dev/null || true
    fi
    [ -z "$log" ] || rm -f "$log"
    exit "$status"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP

[ -f "$config" ] || fail "there is no configuration $config"
for file in "$anygpt" "$anygptd"; do
    [ -x "$file" ] || fail "$file is not built yet: run \`make build\`"
done
[ -f "$question.wav" ] || fail "the question $question.wav is missing"

status=0
"$anygpt" health --config "$config" >/dev/null 2>&1 || status=$?
if [ "$status" = 2 ]; then
    # It says what is wrong with the configuration.
    "$anygpt" health --config "$config"
elif [ "$status" != 0 ]; then
    log=$(mktemp)
    echo "No daemon answers where $config says: starting one for the demo."
    "$anygptd" --config "$config" >"$log" 2>&1 &
    daemon=$!
    waited=0
    until "$anygpt" health --config "$config" --wait 1 >/dev/null 2>&1; do
        waited=$((waited + 1))
        if ! kill -0 "$daemon" 2>/dev/null || [ "$waited" -ge "$patience" ]; then
            echo "The daemon did not start. The end of its log:" >&2
            tail -n 20 "$log" >&2
            exit 1
        fi
    done
fi

if [ -f "$question.txt" ]; then
    echo "The question: \"$(head -n 1 "$question.txt")\""
fi
"$anygpt" talk --file "$question.wav" --config "$config" --out "$reply" --artifacts "$folder" || {
    status=$?
    # 130: it was ended with Ctrl-C.
    if [ -n "$log" ] && [ "$status" != 130 ]; then
        echo "The end of the daemon's log:" >&2
        tail -n 20 "$log" >&2
    fi
    exit "$status"
}

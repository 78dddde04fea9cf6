#!/bin/sh
# A desktop for tests of what talks through it: a sound server of its own, whose microphone hears what is said to it.
#   Scripts/test-desktop.sh start FOLDER          starts the sound server; FOLDER/native is what PULSE_SERVER names
#   Scripts/test-desktop.sh say                   speaks the demo's question into the microphone, and waits until the
#                                                 loudspeaker has spoken for a second
#   Scripts/test-desktop.sh ask PROGRAM...        runs a program on a terminal, asks it one question aloud, waits until the
#                                                 answer is written there, and ends it with Ctrl-C
set -eu

start() {
    mkdir -p "$1"
    chmod 700 "$1"
    env -u PULSE_SERVER HOME="$1" XDG_RUNTIME_DIR="$1" XDG_CONFIG_HOME="$1" PULSE_RUNTIME_PATH="$1" PULSE_STATE_PATH="$1" \
        DBUS_SESSION_BUS_ADDRESS=disabled: \
        pulseaudio -n --daemonize=no --exit-idle-time=-1 --use-pid-file=no --disallow-exit=yes --log-level=error \
        -L "module-native-protocol-unix socket=$1/native auth-anonymous=1" \
        -L "module-null-sink sink_name=room" -L "module-null-sink sink_name=loudspeaker" \
        -L "module-remap-source source_name=microphone master=room.monitor" &
    echo $! >"$1/pid"
    export PULSE_SERVER="unix:$1/native"
    tries=0
    until pactl set-default-source microphone 2>/dev/null && pactl set-default-sink loudspeaker; do
        tries=$((tries + 1))
        [ $tries -lt 200 ] || { echo "test-desktop: pulseaudio does not start" >&2 && exit 1; }
        sleep 0.1
    done
}

# Waits until a pattern is on the terminal, at most a minute.
await() {
    tries=0
    until grep -q "$1" "$screen"; do
        tries=$((tries + 1))
        if [ $tries -ge 600 ] || ! kill -0 "$terminal" 2>/dev/null; then
            echo "test-desktop: \"$1\" does not appear:" >&2
            cat "$screen" >&2
            exit 1
        fi
        sleep 0.1
    done
}

say() {
    heard=$(mktemp)
    parec --device=loudspeaker.monitor --format=s16le --rate=16000 --channels=1 --raw >"$heard" &
    recorder=$!
    trap 'kill $recorder; rm -f "$heard"' EXIT
    paplay --device=room Models/pocket/demo/question.wav
    [ $# = 0 ] || printf '%s' "$1" >&3
    tries=0
    until [ "$(tr -d '\000\377' <"$heard" | wc -c)" -gt 32000 ]; do
        tries=$((tries + 1))
        [ $tries -lt 600 ] || { echo "test-desktop: nothing is heard from the loudspeaker" >&2 && exit 1; }
        sleep 0.1
    done
}

ask() {
    work=$(mktemp -d)
    screen=$work/screen
    mkfifo "$work/keys"
    command=""
    for word; do command="$command '$word'"; done
    script --quiet --return --flush --command "exec $command" "$screen" <"$work/keys" >/dev/null &
    terminal=$!
    exec 3>"$work/keys"
    trap 'kill "$terminal" 2>/dev/null || true; rm -rf "$work"' EXIT
    await 'microphone'
    sleep 1
    case " $* " in *" --push-to-talk "*) button=" " ;; *) button="" ;; esac
    printf '%s' "$button" >&3
    (say "$button")
    await 'is paris'
    sleep 1
    printf '\003' >&3
    status=0
    wait "$terminal" || status=$?
    exec 3>&-
    # 130: ended by Ctrl-C.
    case $status in 0 | 130) ;; *) cat "$screen" >&2 && exit $status ;; esac
}

verb=$1
shift
case $verb in
start | say | ask) "$verb" "$@" ;;
*) echo "test-desktop: start FOLDER, say, or ask PROGRAM..." >&2 && exit 64 ;;
esac

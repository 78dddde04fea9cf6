#!/bin/sh
# Makes sure that the system libraries are there: says what is missing, and installs it where it may.
# With the argument "test" also what only the tests need.
set -eu

packages="libopenblas-dev libopus-dev libsamplerate0-dev libsndfile1-dev libwebsockets-dev
libsentencepiece-dev libpulse-dev libwebrtc-audio-processing-dev zlib1g-dev libssl-dev
libcurl4-openssl-dev libpng-dev libjpeg62-turbo-dev libwebp-dev pkg-config"
# A browser for the web client, certificates for TLS, what looks at units, both sound servers,
# and room for the Python client.
test_packages="chromium openssl pulseaudio dbus-daemon pipewire pipewire-pulse wireplumber systemd python3-venv"
[ "${1:-}" != test ] || packages="$packages $test_packages"

fail() {
    printf '%s\n' "$@" >&2
    exit 1
}

command -v swift >/dev/null 2>&1 || fail \
    "swift was not found: install the Swift toolchain (6.2 or later) from https://www.swift.org/install/linux/" \
    "and put its usr/bin folder on your PATH, then run this command again."

command -v dpkg-query >/dev/null 2>&1 || fail \
    "This is not a Debian system, so the libraries can't be looked for by name." \
    "Install the packages that your system has for: $(echo $packages)" \
    "and then build with: swift build -c release"

missing=""
for package in $packages; do
    status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$status" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

echo "These system libraries are missing and will be installed with apt-get:$missing"
if [ "$(id -u)" = 0 ]; then
    root=""
elif command -v sudo >/dev/null 2>&1; then
    root="sudo"
else
    fail "You are not root and there is no sudo. Ask your administrator to run:" "    apt-get install$missing"
fi
# The list of packages may be missing (a fresh machine) or old: renew it only if the first try fails.
$root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing ||
    { $root apt-get update &&
        $root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing; } ||
    fail "apt-get could not install them (see above). Install them by hand and run this command again:" \
        "    apt-get install$missing"

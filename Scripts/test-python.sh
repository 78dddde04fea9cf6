#!/bin/sh
# Installs the Python client into an environment of its own, checks its types and runs its tests with the real daemon;
# then those of the pocket model: its evaluation, whose judges are played, and its dialogues.
# Scripts/test-python.sh [FOLDER WITH THE PROGRAMS]
set -eu

cd "$(dirname "$0")/.."
ANYGPTD=$(realpath "${1:-.build/release}")/anygptd
export ANYGPTD
environment=.build-python
[ -x $environment/bin/python ] || python3 -m venv $environment
# Not an editable one: what is tested is what people install.
$environment/bin/pip install --quiet --disable-pip-version-check --upgrade "./Clients/python[test]"
cd Clients/python
../../$environment/bin/mypy
../../$environment/bin/pytest --quiet -p no:cacheprovider
cd ../..
$environment/bin/pip install --quiet --disable-pip-version-check $(grep -E '^(numpy|av)==' Training/requirements.txt)
PYTHONPATH=Training exec $environment/bin/pytest --quiet -p no:cacheprovider Training/evaluation Training/pocket/tests

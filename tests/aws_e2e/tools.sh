#!/usr/bin/env bash
# The emulator, aws-cli and the linters, in a folder of Python's own.
#
#   tools.sh VENV
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
if cmp -s "$here/tools.txt" "$1/made-of"; then exit; fi
echo "installing the emulator, aws-cli and linters (a minute)"
python3 -m venv --clear "$1"
"$1/bin/pip" install --quiet --disable-pip-version-check -r "$here/tools.txt"
cp "$here/tools.txt" "$1/made-of"

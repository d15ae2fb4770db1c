#!/bin/sh
# Makes the packages' files that are not in the sources, the same bytes each time: generate.sh DIR
#
#   DIR/man/*.gz        the man pages
#   DIR/completions/    of bash, zsh and fish
#   DIR/changelog.gz    CHANGELOG.md
set -eu
mkdir -p "$1/man" "$1/completions"
out=$(cd "$1" && pwd)
cd "$(dirname "$0")/.."

for page in packaging/man/*.[15]; do
  gzip -9n <"$page" >"$out/man/${page##*/}.gz"
done
cp packaging/completions/* "$out/completions"
gzip -9n <CHANGELOG.md >"$out/changelog.gz"

#!/usr/bin/env bash
# Debian's aws-cli of version 2, unpacked into a folder and not installed; the program is FOLDER/aws.
#
#   aws2.sh FOLDER
set -euo pipefail
if "$1/aws" --version >/dev/null 2>&1; then exit; fi
mkdir -p "$1"
cd "$1"
apt-cache show awscli >/dev/null 2>&1 || apt-get update -qq
# It and what it depends on, as apt would install it here.
mapfile -t packages < <(apt-get install -s --no-install-recommends awscli | sed -n 's/^Inst \([^ ]*\).*/\1/p')
apt-get download -qq "${packages[@]}"
for package in *.deb; do
  dpkg -x "$package" .
  rm "$package"
done
cat >aws <<'LINES'
#!/bin/sh
here=$(dirname "$(readlink -f "$0")")
PYTHONPATH=$here/usr/lib/python3/dist-packages exec /usr/bin/python3 "$here/usr/bin/aws" "$@"
LINES
chmod +x aws
case $(./aws --version) in
  aws-cli/2.*) ;;
  *) echo "that is $(./aws --version), and not version 2" >&2 && exit 1 ;;
esac

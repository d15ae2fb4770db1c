#!/bin/sh
# What the page's stories need: installed below DIR, in the build directory. A tool that is there is left as it is.
#
#   tools.sh browser DIR      Debian's chromium (as root, unless it is there), playwright-core, axe-core, html-validate
#   tools.sh prometheus DIR   Debian's prometheus and promtool, unpacked
#   tools.sh alertmanager DIR Debian's prometheus-alertmanager and amtool, unpacked, and their templates (as root)
#   tools.sh mail DIR         Postfix and mutt, in a Debian that debootstrap makes (as root)
#   tools.sh nagios DIR       Debian's nagios4 and NRPE, unpacked
set -eu

browser() {
  dir=$1
  if ! command -v chromium >/dev/null; then
    apt-get update && apt-get install --yes --no-install-recommends chromium fonts-dejavu-core
  fi
  command -v node
  done=$dir/node_modules/.playwright-1.64.1
  if [ -e "$done" ]; then return; fi
  mkdir -p "$dir"
  cd "$dir"
  [ -e package.json ] || echo '{"private": true}' >package.json
  npm install --no-audit --no-fund playwright-core@1.64.1 axe-core@4.14.1 html-validate@10.17.0
  touch "$done"
}

prometheus() {
  dir=$1
  if [ -e "$dir/usr/bin/promtool" ]; then return; fi
  mkdir -p "$dir"
  cd "$dir"
  apt-get download prometheus || { apt-get update && apt-get download prometheus; }
  dpkg -x prometheus_*.deb "$dir"
  rm prometheus_*.deb
  "$dir/usr/bin/promtool" --version
}

alertmanager() {
  dir=$1
  if [ -e "$dir/usr/bin/amtool" ]; then return; fi
  mkdir -p "$dir"
  cd "$dir"
  apt-get download prometheus-alertmanager || { apt-get update && apt-get download prometheus-alertmanager; }
  dpkg -x prometheus-alertmanager_*.deb "$dir"
  rm prometheus-alertmanager_*.deb
  # Its templates are read from there alone. The package itself would start a service.
  if [ ! -e /usr/share/prometheus/alertmanager/default.tmpl ]; then
    mkdir -p /usr/share/prometheus
    cp -r usr/share/prometheus/alertmanager /usr/share/prometheus/
  fi
  "$dir/usr/bin/amtool" --version
}

nagios() {
  dir=$1
  if [ -e "$dir/done" ]; then return; fi
  mkdir -p "$dir"
  cd "$dir"
  set -- nagios4-core nagios-nrpe-server nagios-nrpe-plugin libwrap0
  apt-get download "$@" || { apt-get update && apt-get download "$@"; }
  for deb in *.deb; do dpkg -x "$deb" "$dir"; done
  rm ./*.deb
  touch "$dir/done"
}

mail() {
  dir=$1
  if [ -e "$dir/debian" ]; then return; fi
  command -v debootstrap || { apt-get update && apt-get install --yes --no-install-recommends debootstrap; }
  rm -rf "$dir/debian.half"
  # In a Debian of its own: Postfix has users, groups and folders that this machine need not have.
  debootstrap --variant=minbase --include=postfix,mutt,libsasl2-modules,sasl2-bin bookworm "$dir/debian.half"
  rm -rf "$dir/debian.half/var/cache/apt" "$dir/debian.half/var/lib/apt/lists"
  chroot "$dir/debian.half" sh -euc '
    useradd ops
    echo "a p@ss/word" | saslpasswd2 -p -c -u mail.example.com me
    chown postfix /etc/sasldb2'
  mv "$dir/debian.half" "$dir/debian"
}

what=$1 dir=$2
mkdir -p "$dir"
log=$dir/$what.log
if ! (set -eu; "$what" "$dir") >"$log" 2>&1; then
  echo "$(grep -i -m 1 'error\|^E:' "$log" || tail -n 1 "$log") (all of it: $log)"
  exit 1
fi

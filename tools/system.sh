#!/usr/bin/env bash
# Programs the tests need from the distribution. Installs what is missing on Debian-like systems as root; elsewhere says
# what to install.
set -euo pipefail
missing=()
command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null || missing+=(chromium)
[ -x /usr/sbin/smtp-sink ] || command -v smtp-sink >/dev/null || missing+=(postfix)
command -v perl >/dev/null || missing+=(perl)
command -v xgettext >/dev/null || missing+=(gettext)
# A Java of 17 or newer, for the Spark server of the suite.
java -version 2>&1 | grep -qE 'version "(1[7-9]|[2-9][0-9])' || missing+=(default-jre-headless)
fc-list 2>/dev/null | grep -qi "cjk" || missing+=(fonts-noto-cjk fontconfig)
[ ${#missing[@]} -eq 0 ] && exit 0
if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
  echo "Installing ${missing[*]} …"
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
  exit 0
fi
echo "The tests need: ${missing[*]}" >&2
echo "Install them, e.g.: sudo apt-get install --no-install-recommends ${missing[*]}" >&2
exit 1

#!/bin/sh
# Parses every .nix file with the Nix versions of newer Debian releases, beside the one of this host: trixie has 2.26, sid 2.34.
#
#   nixos/check-with-newer-nix.sh [SUITE ...]
#
# Needs apt and a Debian mirror (MIRROR, default: that of this host). Nothing is installed: packages are unpacked in a temporary folder and
# run with their own loader and libraries.
set -eu

here=$(dirname "$(realpath "$0")")
mirror=${MIRROR:-$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -v security | head -n 1)}
[ -n "$mirror" ] || { echo "No mirror: set MIRROR" >&2; exit 1; }
architecture=$(dpkg --print-architecture)
work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT

files=$(find "$here" -name '*.nix' -not -path '*/dist/*' | sort)
failed=0
[ $# -gt 0 ] || set -- trixie sid
for suite in "$@"; do
  root=$work/$suite
  apt=$root/apt
  mkdir -p "$root/tree" "$apt/state/lists/partial" "$apt/cache/archives/partial" "$apt/parts" "$root/store" "$root/conf"
  : >"$apt/status"
  echo "deb $mirror $suite main" >"$apt/sources.list"
  printf 'sandbox = false\nbuild-users-group =\nsubstituters =\n' >"$root/conf/nix.conf"
  options="-o Dir::State=$apt/state -o Dir::State::status=$apt/status -o Dir::Cache=$apt/cache -o Dir::Etc::sourcelist=$apt/sources.list -o Dir::Etc::sourceparts=$apt/parts -o APT::Architecture=$architecture -o APT::Sandbox::User=root"
  apt-get $options -qq update
  apt-get $options -qq -y --no-install-recommends --download-only install nix-bin
  for package in "$apt"/cache/archives/*.deb; do dpkg -x "$package" "$root/tree"; done

  loader=$(find "$root/tree/usr/lib64" "$root/tree/lib64" "$root/tree/usr/lib" -name 'ld-linux-*.so.*' 2>/dev/null | head -n 1)
  libraries=$(find "$root/tree/usr/lib" "$root/tree/lib" -name '*.so*' -printf '%h\n' 2>/dev/null | sort -u | paste -sd: -)
  nix_instantiate() {
    NIX_STORE_DIR=$root/store NIX_STATE_DIR=$root/state NIX_LOG_DIR=$root/log NIX_CONF_DIR=$root/conf HOME=$root \
      nice -n 15 "$loader" --library-path "$libraries" --argv0 nix-instantiate "$root/tree/usr/bin/nix" "$@"
  }
  version=$(nix_instantiate --version)
  if nix_instantiate --parse $files >/dev/null; then
    echo "ok    $suite: $version, $(echo "$files" | wc -l) files"
  else
    failed=$((failed + 1))
    echo "FAIL  $suite: $version"
  fi
done
exit "$failed"

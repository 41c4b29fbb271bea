#!/bin/sh
# Evaluates everything in nixos/ against a real nixpkgs tree, which the tests do not have (no network, no copy of nixpkgs):
#
#   nixos/check-against-nixpkgs.sh TREE [MODULES_TREE LIB_TREE]
#
# TREE is a nixpkgs checkout. With three arguments NixOS' modules come from MODULES_TREE, `lib` from LIB_TREE and packages from TREE. Needs
# nix-instantiate and `npm run bundle`; nothing is built or fetched. CASES (words) chooses cases, CHECK_SECONDS_MAX bounds each evaluation.
set -u

tree=$(realpath "${1:?usage: $0 TREE [MODULES_TREE LIB_TREE]}")
modules_tree=$(realpath "${2:-$tree}")
lib_tree=$(realpath "${3:-$tree}")
here=$(dirname "$(realpath "$0")")
seconds_max=${CHECK_SECONDS_MAX:-300}

work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
mkdir -p "$work/conf"
printf 'sandbox = false\nbuild-users-group =\nsubstituters =\n' >"$work/conf/nix.conf"
# A store of its own: nothing of this host is read or changed.
export NIX_STORE_DIR="$work/store" NIX_STATE_DIR="$work/state" NIX_LOG_DIR="$work/log" NIX_CONF_DIR="$work/conf" HOME="$work"

templates=$(nix-instantiate --eval --strict --json -E "builtins.attrNames (import $here/templates/examples.nix)" | tr -d '[]"' | tr ',' ' ')
has_systemd_stage1=no
[ -e "$modules_tree/nixos/modules/system/boot/systemd/initrd.nix" ] && has_systemd_stage1=yes

# CASE[/SYSTEM[/STAGE1]]
all="machine registration agent-only control-plane dev-shell machine/aarch64-linux registration/aarch64-linux"
for name in $templates; do all="$all template:$name"; done
all="$all template:base-server-full/aarch64-linux"
if [ "$has_systemd_stage1" = yes ]; then
  for system in x86_64-linux aarch64-linux; do
    all="$all machine/$system/scripted machine/$system/systemd registration/$system/systemd"
  done
fi

failed=0
for case in ${CASES:-$all}; do
  what=${case%%/*}
  rest=${case#"$what"}
  rest=${rest#/}
  system=${rest%%/*}
  stage1=${rest#"$system"}
  stage1=${stage1#/}
  started=$(date +%s)
  timeout -k 5 "$seconds_max" nice -n 15 nix-instantiate --eval --strict --json "$here/check/case.nix" \
    --arg nixpkgs "$tree" --arg modulesTree "$modules_tree" --arg libTree "$lib_tree" \
    --argstr what "$what" --argstr system "${system:-x86_64-linux}" --argstr stage1 "${stage1:-default}" \
    >"$work/out" 2>"$work/err"
  status=$?
  seconds=$(($(date +%s) - started))
  if [ "$status" = 0 ] && grep -q '"drvPath":".*\.drv"' "$work/out"; then
    echo "ok    $case ($seconds s)"
  else
    failed=$((failed + 1))
    echo "FAIL  $case ($seconds s, status $status)"
    grep -v '^trace: warning' "$work/err" | tail -n "${CHECK_ERROR_LINES:-12}" | sed 's/^/      /'
  fi
done
echo "$failed failed"
[ "$failed" = 0 ]

#!/bin/sh
# PID 1 of a machine image's initrd: fetches the squashfs layers that the command line names, checks each digest, and switches to them.
. /usr/lib/muster/init.sh

mkdir -p /dev/pts
mount -t tmpfs -o mode=755,size=80% run /run
say "init $(uname -r)"

# A bus driver brings new devices, so the buses behind it come second.
for bus in 'pci:|acpi:|vmbus:|xen:' 'virtio:|usb:|vmbus:'; do
  cat /sys/bus/*/devices/*/modalias 2>/dev/null | sort -u | grep -E "^($bus)" |
    while read -r alias; do modprobe -q "$alias" 2>/dev/null; done
done
for module in loop squashfs overlay; do modprobe -q "$module"; done
say "devices ready"

keep_boot_json

layers=
for word in $(cat /proc/cmdline); do
  case $word in muster.layers=*) layers=$(echo "${word#*=}" | tr ',' ' ') ;; esac
done
[ -n "$layers" ] || fail "the command line names no muster.layers"

ip link set lo up
. /usr/lib/muster/network.sh
only_boot_interface=1
attempt=0
until start_network; do
  attempt=$((attempt + 1))
  [ "$attempt" -lt 60 ] || fail "no network: no interface got an address in 60 attempts"
  say "no network: no interface got an address, trying again"
  sleep 5
done

edge=$(boot_value edge_url)
[ -n "$edge" ] || fail "boot.json names no edge_url"
query="mac=$(boot_value boot_mac_address | tr ':' '-')&session=$(boot_value session)"
mkdir -m 700 /run/muster/layers
mkdir -m 755 /run/muster/upper /run/muster/work /run/muster/lower

# fetch DIGEST NAME
fetch() {
  file=/run/muster/layers/$1
  for attempt in 1 2 3 4 5 6 7 8 9 10; do
    # Not wget's own -T: Debian 12's static busybox crashes on it.
    if timeout 300 wget -q -O "$file" "$edge/images/sha256/$1/$2?$query"; then
      [ "$(sha256sum "$file" | cut -d' ' -f1)" = "$1" ] && return 0
      say "the digest of $2 differs, fetching again"
    else
      say "cannot fetch $2, trying again"
    fi
    sleep 3
  done
  return 1
}

lower=
number=0
for layer in $layers; do
  digest=${layer%%/*}
  name=${layer#*/}
  fetch "$digest" "$name" || fail "cannot fetch $name from $edge in 10 attempts, or its digest is never $digest"
  number=$((number + 1))
  mkdir "/run/muster/lower/$number"
  mount -t squashfs -o loop,ro "/run/muster/layers/$digest" "/run/muster/lower/$number" || fail "cannot mount $name"
  # The first one named is the lowest; overlay wants the highest first.
  lower="/run/muster/lower/$number${lower:+:$lower}"
  say "layer $name"
done
# From here on nothing waits for the network, and no watchdog runs before systemd: a machine that stands still says where, and tries again.
(
  seconds=0
  while [ "$seconds" -lt 120 ]; do sleep 2 && seconds=$((seconds + 2)); done
  echo 8 >/proc/sys/kernel/printk
  say "error: the switch to the root took longer than 120 seconds; tasks that wait:"
  echo w >/proc/sysrq-trigger
  echo l >/proc/sysrq-trigger
  sleep 5
  reboot -f
) &
guard=$!

mkdir /new
mount -t overlay -o "lowerdir=$lower,upperdir=/run/muster/upper,workdir=/run/muster/work" overlay /new ||
  fail "cannot join the layers"

# systemd-networkd brings an interface online only when it finds it down.
for pid in /run/udhcpc.*.pid; do [ -s "$pid" ] && kill "$(cat "$pid")" && rm -f "$pid"; done
for link in /sys/class/net/*; do
  name=${link##*/}
  [ "$name" = lo ] && continue
  ip addr flush dev "$name"
  ip link set "$name" down
done

say "root ready"
mkdir -p /new/run /new/dev
mount --move /run /new/run
umount /dev/pts 2>/dev/null
mount --move /dev /new/dev
umount /sys /proc
kill "$guard"
exec switch_root -c /dev/console /new /sbin/init
say "error: switch_root failed"

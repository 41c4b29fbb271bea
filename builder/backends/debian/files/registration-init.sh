#!/bin/sh
# PID 1 of the registration image: brings up devices and network, hands boot.json to the agent, and keeps the agent running.
. /usr/lib/muster/init.sh

mkdir -p /dev/pts /dev/shm
mount -t devpts devpts /dev/pts
mount -t tmpfs -o mode=1777 shm /dev/shm
mount -t tmpfs -o mode=755 run /run
say "init $(uname -r)"

# A bus driver brings new devices, so the buses behind it come second.
load_modules() {
  for bus in 'pci:|acpi:|vmbus:|xen:' 'virtio:|usb:|scsi:|platform:|hid:|dmi:|cpu:|acpi:|vmbus:'; do
    cat /sys/bus/*/devices/*/modalias /sys/class/dmi/id/modalias 2>/dev/null | sort -u | grep -E "^($bus)" |
      while read -r alias; do modprobe -q "$alias" 2>/dev/null; done
  done
  # These have no alias of their own.
  for module in sd_mod ipmi_si ipmi_devintf ipmi_ssif coretemp; do modprobe -q "$module" 2>/dev/null; done
  [ -d /sys/firmware/efi ] && modprobe -q efivarfs && mount -t efivarfs efivarfs /sys/firmware/efi/efivars
}
load_modules
say "devices ready"

# The hardware restarts a machine whose kernel hangs.
if [ -c /dev/watchdog ]; then watchdog -t 10 -T 60 /dev/watchdog; fi

keep_boot_json
rm -f /muster/boot.json

hostname muster
ip link set lo up
. /usr/lib/muster/network.sh
until start_network; do
  say "no network: no interface got an address, trying again"
  sleep 5
done

# reboot(8) and poweroff(8) of busybox ask PID 1 by signal.
trap 'reboot -f' TERM
trap 'poweroff -f' USR2

delay=1
while :; do
  say "agent start"
  started=$(cut -d. -f1 /proc/uptime)
  # As muster-agent.service starts it.
  MALLOC_ARENA_MAX=1 MALLOC_TRIM_THRESHOLD_=65536 \
    /usr/bin/node --lite-mode --max-semi-space-size=1 --expose-gc /usr/lib/muster/agent.cjs >/dev/console 2>&1 &
  wait $!
  status=$?
  lasted=$(($(cut -d. -f1 /proc/uptime) - started))
  [ "$lasted" -gt 60 ] && delay=1
  say "agent ended with status $status after $lasted s, starting again in $delay s"
  sleep "$delay"
  delay=$((delay * 2))
  [ "$delay" -gt 60 ] && delay=60
done

# What both initrds begin with: read by machine-init.sh and registration-init.sh before anything else.
export PATH=/usr/bin

say() { echo "MUSTER $*" >/dev/console; }

# Without what it needs the machine is of no use: say why where somebody may see it, then try the whole boot again.
fail() {
  say "error: $*"
  say "restarting in 30 seconds"
  sleep 30
  reboot -f
}

# For whoever reads it in the system that starts: the initrd's own place goes.
keep_boot_json() {
  [ -s /muster/boot.json ] ||
    fail "boot.json is missing: the boot script must load boot.cpio after the image's initrd and name it with initrd=boot.cpio"
  mkdir -m 755 -p /run/muster
  (umask 377 && cat /muster/boot.json >/run/muster/boot.json) || fail "cannot copy boot.json"
}

mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev 2>/dev/null

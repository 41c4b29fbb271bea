# Sourced by both inits: an address for the interface that booted, then for every other one that has a link.

boot_value() { sed -n "s/.*\"$1\" *: *\"\([^\"]*\)\".*/\1/p" /run/muster/boot.json | head -n 1; }

# Drivers need a moment before the interfaces exist and have a link; the first of them may come seconds before the rest.
wait_for_interfaces() {
  for attempt in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    for link in /sys/class/net/*; do
      [ "${link##*/}" = lo ] || [ ! -e "$link/device" ] || return 0
    done
    sleep 0.5
  done
  return 1
}

interface_of() {
  for link in /sys/class/net/*; do
    [ "$(cat "$link/address")" = "$1" ] && [ -e "$link/device" ] && echo "${link##*/}" && return
  done
}

wait_for_link() {
  for attempt in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    [ "$(cat "/sys/class/net/$1/carrier" 2>/dev/null)" = 1 ] && return 0
    sleep 0.25
  done
  return 1
}

lease() {
  udhcpc -i "$1" -n -t 8 -T 1 -A 2 -S -p "/run/udhcpc.$1.pid" -s /usr/lib/muster/udhcpc.sh >/dev/null 2>&1 &&
    say "network up $1 $(ip -4 -o addr show dev "$1" | sed -n 's/.*inet \([0-9.]*\).*/\1/p' | head -n 1)"
}

start_network() {
  wait_for_interfaces || return 1
  boot_interface=$(interface_of "$(boot_value boot_mac_address)")
  others=
  for link in /sys/class/net/*; do
    name=${link##*/}
    [ "$name" = lo ] || [ ! -e "$link/device" ] && continue
    ip link set "$name" up
    [ "$name" = "$boot_interface" ] || others="$others $name"
  done

  up=
  for name in $boot_interface $others; do
    [ -s "/run/udhcpc.$name.pid" ] && up=1 && continue
    [ -n "$up" ] && [ -n "$only_boot_interface" ] && break
    wait_for_link "$name" && lease "$name" && up=1
  done
  [ -n "$up" ]
}

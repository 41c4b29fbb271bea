#!/bin/sh
# Called by udhcpc(8) for each change of a lease. The first interface that gets a default route keeps the best one.
export PATH=/usr/bin

case $1 in
  deconfig)
    ip addr flush dev "$interface"
    ip link set "$interface" up
    ;;
  bound | renew)
    [ "$1" = bound ] && ip addr flush dev "$interface"
    ip addr replace "$ip/${mask:-24}" dev "$interface"
    metric=$((100 + $(cat "/sys/class/net/$interface/ifindex")))
    ip route show default | grep -q . || metric=50
    for gateway in $router; do
      # With a host mask the gateway is on no known network.
      [ "${mask:-24}" = 32 ] && ip route replace "$gateway" dev "$interface"
      ip route show default dev "$interface" | grep -q . || ip route add default via "$gateway" dev "$interface" metric "$metric"
      break
    done
    if [ -n "$dns" ] && [ ! -s /etc/resolv.conf ]; then
      for server in $dns; do echo "nameserver $server"; done >/etc/resolv.conf
    fi
    ;;
esac

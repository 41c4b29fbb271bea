# What the agent may do. It is root, because it reads raw devices and takes the machine down; everything that it does not need is taken away.
# Not set: MemoryDenyWriteExecute (the JIT of V8), ProcSubset (it reads /proc/meminfo and others), ProtectKernelTunables (its last way to
# reboot a machine that hangs is /proc/sysrq-trigger, and the locator LED is in /sys).
{ lib, hearsLldpd }:

{
  CapabilityBoundingSet = [
    "CAP_DAC_READ_SEARCH"
    # Link settings (ethtool) and promiscuous mode (tcpdump).
    "CAP_NET_ADMIN"
    "CAP_NET_RAW"
    # NVMe administration, IPMI, SMBIOS in /dev/mem.
    "CAP_SYS_ADMIN"
    "CAP_SYS_RAWIO"
    # `reboot -f` where systemd does not answer.
    "CAP_SYS_BOOT"
  ];
  NoNewPrivileges = true;

  DevicePolicy = "closed";
  DeviceAllow = [
    "/dev/ipmi0 rw"
    "/dev/mem r"
    "/dev/tpm0 r"
    "/dev/tpmrm0 rw"
    # The bell that tells where a machine without a locator LED stands.
    "/dev/console rw"
    "char-nvme rw"
    "block-* r"
  ];

  ProtectSystem = "strict";
  ProtectHome = true;
  PrivateTmp = true;
  # It marks a spent boot token beside boot.json, which has to outlive the agent.
  RuntimeDirectory = "muster";
  RuntimeDirectoryMode = "0755";
  RuntimeDirectoryPreserve = true;

  ProtectClock = true;
  ProtectControlGroups = true;
  ProtectHostname = true;
  ProtectKernelLogs = true;
  ProtectKernelModules = true;
  LockPersonality = true;
  RemoveIPC = true;
  RestrictNamespaces = true;
  RestrictRealtime = true;
  RestrictSUIDSGID = true;
  # Packet sockets are tcpdump's, which waits for LLDP frames.
  RestrictAddressFamilies = [
    "AF_INET"
    "AF_INET6"
    "AF_NETLINK"
    "AF_PACKET"
    "AF_UNIX"
  ];
  SystemCallArchitectures = "native";
  SystemCallFilter = [ "~@clock @cpu-emulation @debug @module @mount @obsolete @swap" ];
  SystemCallErrorNumber = "EPERM";
}
// lib.optionalAttrs hearsLldpd {
  # The socket of lldpd is for its own group, and root without CAP_DAC_OVERRIDE is not in it.
  SupplementaryGroups = [ "_lldpd" ];
}

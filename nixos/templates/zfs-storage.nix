# A storage node: imports ZFS pools that are on its disks, scrubs and trims them, keeps snapshots, and may serve NFS.
parameters:
{
  config,
  lib,
  pkgs,
  ...
}:

let
  inherit (config.muster) facts;

  # A pool remembers by this number which host used it last: it has to be the same at each boot, and another on each machine.
  identity = lib.findFirst (fact: fact != "") "" [
    facts.machineId
    facts.uuid
    facts.serviceTag
  ];
  hostId = builtins.substring 0 8 (builtins.hashString "sha256" "muster host id ${identity}");

  arcBytesMax =
    if parameters.arcMegabytesMax > 0 then
      parameters.arcMegabytesMax * 1024 * 1024
    else
      facts.memoryBytes / 100 * parameters.arcPercentMax;
in
{
  assertions = [
    {
      assertion = identity != "";
      message = "zfs-storage: nothing is known that tells this machine from others: set networking.hostId in its own module";
    }
  ];

  boot.supportedFilesystems = [ "zfs" ];
  # The kernel that ZFS of this nixpkgs is sure to work with.
  boot.kernelPackages = lib.mkDefault pkgs.linuxPackages;
  networking.hostId = lib.mkDefault hostId;

  boot.zfs = {
    extraPools = parameters.pools;
    # The root file system is memory, never a pool.
    forceImportRoot = false;
    forceImportAll = parameters.forceImport;
    requestEncryptionCredentials = false;
  };
  boot.kernelParams = lib.optional (arcBytesMax > 0) "zfs.zfs_arc_max=${toString arcBytesMax}";

  services.zfs = {
    autoScrub = {
      enable = parameters.scrub != "never";
      interval = if parameters.scrub == "never" then "monthly" else parameters.scrub;
      inherit (parameters) pools;
    };
    trim.enable = parameters.trim;
    autoSnapshot = {
      enable = parameters.snapshots;
      frequent = 0;
      hourly = parameters.snapshotsHourly;
      daily = parameters.snapshotsDaily;
      weekly = parameters.snapshotsWeekly;
      monthly = parameters.snapshotsMonthly;
    };
  };

  # What is shared is told by the property sharenfs of the data sets.
  services.nfs.server.enable = parameters.nfs;
  networking.firewall.allowedTCPPorts = lib.optional parameters.nfs 2049;

  environment.systemPackages = [
    pkgs.smartmontools
    pkgs.nvme-cli
  ];
  services.smartd.enable = lib.mkDefault parameters.watchDisks;
}

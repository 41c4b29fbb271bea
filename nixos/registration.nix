# The image that unknown machines boot: it finds out what the machine is, enrols it, and waits for commands. The same everywhere: it holds
# no address, certificate or token; those come with boot.json.
{
  config,
  lib,
  modulesPath,
  options,
  pkgs,
  ...
}:

let
  inherit (lib) mkDefault;
  enablesAllHardware = options.hardware ? enableAllHardware;
in
{
  imports = [
    (modulesPath + "/installer/netboot/netboot-minimal.nix")
    ./modules/image.nix
  ]
  ++ lib.optional (builtins.pathExists (modulesPath + "/installer/scan/not-detected.nix")) (
    modulesPath + "/installer/scan/not-detected.nix"
  );

  # netboot-minimal is an installer: its profiles have accounts with empty passwords that log in by themselves, a copy of nixpkgs, editors and
  # partitioning tools.
  disabledModules = [
    "profiles/installation-device.nix"
    "profiles/base.nix"
  ];

  config = lib.mkMerge [
    {
      # Facts are for images of one machine.
      muster.facts = { };
      networking.hostName = mkDefault "muster";

      environment.systemPackages = [
        pkgs.dmidecode
        pkgs.ethtool
        pkgs.ipmitool
        pkgs.lshw
        pkgs.nvme-cli
        pkgs.pciutils
        pkgs.smartmontools
      ];
      # Hears switches from the start, so that the first inventory knows them.
      services.lldpd.enable = true;
      services.muster-agent.inventoryTools = [
        pkgs.ethtool
        pkgs.ipmitool
      ];

      boot.kernelModules = [ "ipmi_ssif" ];

      services.openssh.enable = lib.mkForce false;
      # Nothing listens here, and packets to a machine that nobody knows are no news.
      networking.firewall.enable = true;
      networking.firewall.logRefusedConnections = mkDefault false;
    }
    (lib.optionalAttrs enablesAllHardware { hardware.enableAllHardware = mkDefault true; })
  ];
}

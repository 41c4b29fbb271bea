# What registration and machine images have in common: everything lies in memory, comes by network, and starts again by itself.
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
  inherit (pkgs.stdenv) hostPlatform;
  serialConsole = if hostPlatform.isx86 then "ttyS0,115200n8" else "ttyAMA0,115200n8";
  watchdogSeconds = 60;
in
{
  imports = [
    (modulesPath + "/installer/netboot/netboot.nix")
    ./facts.nix
    ./agent.nix
    ./stage-1.nix
    ./console-markers.nix
  ];

  config = lib.mkMerge [
    {
      services.muster-agent = {
        enable = true;
        consoleMessages = mkDefault true;
      };

      boot.kernelParams = [
        "console=tty0"
        # The last one named is /dev/console, where Muster's markers go.
        "console=${serialConsole}"
        # A machine that cannot go on tries the whole boot again: that is what makes the roll-back to the last good image possible.
        "panic=30"
        "boot.panic_on_fail"
      ];
      # Found by the kernel on real hardware only when they are asked for.
      boot.kernelModules = [
        "ipmi_si"
        "ipmi_devintf"
      ];
      hardware.enableRedistributableFirmware = mkDefault true;

      # No state outlives a boot, so none can be of an older release.
      system.stateVersion = mkDefault lib.trivial.release;

      networking.useDHCP = mkDefault false;
      networking.useNetworkd = mkDefault true;
      systemd.network.networks."99-muster-ethernet" = mkDefault {
        matchConfig = {
          Type = "ether";
          Kind = "!*";
        };
        networkConfig = {
          DHCP = "ipv4";
          IPv6AcceptRA = true;
        };
        # By MAC address, as firmware and iPXE ask: the address stays the one that the machine booted with.
        dhcpV4Config = {
          ClientIdentifier = "mac";
          UseHostname = config.networking.hostName == "";
        };
        linkConfig.RequiredForOnline = false;
      };

      documentation.enable = mkDefault false;
      programs.command-not-found.enable = mkDefault false;
    }

    (lib.optionalAttrs (options ? netboot.squashfsCompression) {
      # xz, the default of NixOS, makes images a tenth smaller and takes several times as long.
      netboot.squashfsCompression = mkDefault "zstd -Xcompression-level 6";
    })
    (lib.optionalAttrs (options.environment ? defaultPackages) {
      environment.defaultPackages = mkDefault [ ];
    })
    (
      if options.systemd ? settings then
        {
          systemd.settings.Manager = {
            RuntimeWatchdogSec = mkDefault "${toString watchdogSeconds}s";
            RebootWatchdogSec = mkDefault "5min";
          };
        }
      else
        {
          systemd.watchdog = {
            runtimeTime = mkDefault "${toString watchdogSeconds}s";
            rebootTime = mkDefault "5min";
          };
        }
    )
  ];
}

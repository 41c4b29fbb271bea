# Muster's agent as a hardened unit. Images of Muster enable it by themselves; on another NixOS machine, import this and give it a boot.json.
{
  config,
  lib,
  options,
  pkgs,
  ...
}:

let
  inherit (lib) mkOption types;
  cfg = config.services.muster-agent;
  programs = import ../packages.nix { inherit pkgs; };
  nodejs = cfg.package.passthru.nodejs or null;
in
{
  options.services.muster-agent = {
    enable = lib.mkEnableOption "Muster's agent, which reports inventory and metrics and carries out commands";

    package = mkOption {
      type = types.package;
      default = programs.agent;
      defaultText = "the agent of this flake";
      description = "Package with bin/muster-agent.";
    };

    bootFile = mkOption {
      type = types.path;
      default = "/run/muster/boot.json";
      description = ''
        File that says how to enrol: session, boot token, addresses. It holds a secret and differs between boots, so it is a path on the
        machine, never a file of the Nix store.
      '';
      apply = toString;
    };

    imageFile = mkOption {
      type = types.path;
      default = "/run/muster/image.json";
      description = "File that names the running image; it may be missing on a machine that runs no image of Muster.";
      apply = toString;
    };

    metricsIntervalSeconds = mkOption {
      type = types.ints.between 1 3600;
      default = 10;
      description = "Seconds between two samples of the machine's metrics.";
    };

    hostActions = mkOption {
      type = types.enum [
        "real"
        "log"
      ];
      default = "real";
      description = ''
        Whether commands to reboot and power off are carried out (`real`) or only written to the journal (`log`), for an agent that runs on
        no machine of its own.
      '';
    };

    consoleMessages = mkOption {
      type = types.bool;
      default = false;
      description = "Whether the agent's messages appear on the console too, beside the journal.";
    };

    inventoryTools = mkOption {
      type = types.listOf types.package;
      default = [
        pkgs.ethtool
        pkgs.ipmitool
        pkgs.tcpdump
      ];
      defaultText = "ethtool, ipmitool and tcpdump";
      example = [ ];
      description = ''
        Packages of the programs that the agent runs to learn about NICs, the BMC and the switches. They are added to the system's own
        packages, where the agent looks for them; it does without those that are missing.
      '';
    };
  };

  config = lib.mkIf cfg.enable {
    environment.systemPackages = cfg.inventoryTools;

    warnings =
      lib.optional (nodejs != null && lib.versionOlder (lib.getVersion nodejs) "26")
        "Muster's agent is made for Node.js 26, but this nixpkgs has ${lib.getVersion nodejs}: the agent may not run. Take NixOS 26.05 or newer.";

    systemd.services.muster-agent = {
      description = "Muster agent";
      wantedBy = [ "multi-user.target" ];
      # The agent waits for the network itself: a machine whose network is late must not lose its agent.
      after = [ "network.target" ];
      unitConfig.StartLimitIntervalSec = 0;

      environment = {
        MUSTER_BOOT_FILE = cfg.bootFile;
        MUSTER_IMAGE_FILE = cfg.imageFile;
        METRICS_INTERVAL_SECONDS = toString cfg.metricsIntervalSeconds;
        MUSTER_HOST_ACTIONS = cfg.hostActions;
      };

      serviceConfig = {
        ExecStartPre = lib.mkIf cfg.consoleMessages "${pkgs.coreutils}/bin/echo MUSTER agent start";
        ExecStart = "${cfg.package}/bin/muster-agent";
        Restart = "always";
        RestartSec = 2;
        OOMScoreAdjust = -500;
        StandardOutput = lib.mkIf cfg.consoleMessages "journal+console";
        StandardError = lib.mkIf cfg.consoleMessages "journal+console";
      }
      // import ./agent-hardening.nix {
        inherit lib;
        hearsLldpd = options.services ? lldpd && config.services.lldpd.enable;
      };
    };
  };
}

{
  config,
  lib,
  pkgs,
  ...
}:

let
  inherit (lib) mkOption types;
  cfg = config.services.muster.edge;
  server = config.services.muster.server;
  process = import ./process.nix { inherit lib; };
  loaders = import ./loaders.nix { inherit pkgs; };
  settings = {
    SERVER_URL = cfg.serverUrl;
    EDGE_STATE_DIR = "/var/lib/muster/edge";
    EDGE_HTTP_PORT = cfg.httpPort;
    LOADERS_DIR = "${cfg.loaders}";
  };
in
{
  options.services.muster.edge = {
    enable = lib.mkEnableOption "Muster's edge: network boot for the machines of this site";

    package = mkOption {
      type = types.package;
      default = (import ../../packages.nix { inherit pkgs; }).edge;
      defaultText = "the edge of this flake";
      description = "Package with bin/muster-edge.";
    };

    serverUrl = process.serverUrlOption server;

    httpPort = mkOption {
      type = types.port;
      default = 8081;
      description = "TCP port of scripts and artifacts.";
    };

    loaders = mkOption {
      type = types.package;
      default = loaders;
      defaultText = "iPXE of nixpkgs, with snponly.efi";
      description = "Folder with snponly.efi, undionly.kpxe and ipxe.efi.";
    };

    settings = process.settingsOption "edge";
    secretFiles = process.secretFilesOption { JOIN_CODE = "/run/keys/muster-edge-join-code"; };
  };

  config = lib.mkIf cfg.enable {
    assertions = process.noSecretsIn "edge" [ "JOIN_CODE" ] cfg.settings;

    systemd.services.muster-edge = {
      description = "Muster edge: network boot for the machines of this site";
      wantedBy = [ "multi-user.target" ];
      wants = [ "network-online.target" ];
      after = [
        "network-online.target"
        "muster-server.service"
      ];
      environment = process.environment {
        settings = settings // cfg.settings;
        inherit (cfg) secretFiles;
      };
      serviceConfig = process.hardening // {
        ExecStart = "${cfg.package}/bin/muster-edge";
        User = "muster";
        Group = "muster";
        StateDirectory = "muster/edge";
        StateDirectoryMode = "0700";
        Restart = "on-failure";
        RestartSec = 2;
        TimeoutStopSec = 30;
        LimitNOFILE = 65536;
        # UDP port 69.
        AmbientCapabilities = [ "CAP_NET_BIND_SERVICE" ];
        CapabilityBoundingSet = [ "CAP_NET_BIND_SERVICE" ];
        # It compares tokens with the neighbour table.
        RestrictAddressFamilies = [
          "AF_INET"
          "AF_INET6"
          "AF_NETLINK"
          "AF_UNIX"
        ];
      };
    };

    networking.firewall = lib.mkIf config.services.muster.openFirewall {
      allowedTCPPorts = [ cfg.httpPort ];
      allowedUDPPorts = [ 69 ];
    };
  };
}

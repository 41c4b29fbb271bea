# nats-server in operator mode. Its configuration comes from the server's keys, which are in PostgreSQL, so it is written when it starts
# and not when the system is built.
{
  config,
  lib,
  pkgs,
  ...
}:

let
  inherit (lib) mkOption types;
  cfg = config.services.muster.nats;
  server = config.services.muster.server;
  process = import ./process.nix { inherit lib; };
  folder = "/var/lib/muster/nats";
in
{
  options.services.muster.nats = {
    enable = lib.mkEnableOption "a nats-server of Muster's own on this host";

    package = mkOption {
      type = types.package;
      default = pkgs.nats-server;
      defaultText = "pkgs.nats-server";
      description = "Package with bin/nats-server, 2.9 or newer.";
    };

    host = mkOption {
      type = types.str;
      default = "0.0.0.0";
      description = "Address that machines, builders and servers reach.";
    };

    port = mkOption {
      type = types.port;
      default = 4222;
      description = "TCP port; TLS under the site's CA.";
    };
  };

  config = lib.mkIf cfg.enable {
    assertions = [
      {
        assertion = server.enable;
        message = "services.muster.nats needs services.muster.server on the same host, whose keys it serves; give a nats-server elsewhere the files of `muster nats config`";
      }
    ];

    systemd.services.muster-nats = {
      description = "NATS for Muster";
      wantedBy = [ "multi-user.target" ];
      requires = lib.optional server.createDatabase "postgresql.service";
      after = [
        "network.target"
        "postgresql.service"
        "postgresql.target"
      ];
      inherit (server) environment;
      serviceConfig = process.hardening // {
        ExecStartPre = "${server.package}/bin/muster-server nats-config ${folder} --listen ${cfg.host}:${toString cfg.port} --data ${folder}";
        ExecStart = "${cfg.package}/bin/nats-server -c ${folder}/nats.conf";
        ExecReload = "${pkgs.coreutils}/bin/kill -HUP $MAINPID";
        User = "muster";
        Group = "muster";
        # The master key is made by whichever of the two starts first.
        StateDirectory = [
          "muster/nats"
          "muster/server"
        ];
        StateDirectoryMode = "0700";
        TimeoutStopSec = 30;
        Restart = "on-failure";
        RestartSec = 2;
        LimitNOFILE = 131072;
        RestrictAddressFamilies = [
          "AF_INET"
          "AF_INET6"
          "AF_UNIX"
        ];
        CapabilityBoundingSet = "";
      };
    };

    networking.firewall.allowedTCPPorts = lib.mkIf config.services.muster.openFirewall [ cfg.port ];
  };
}

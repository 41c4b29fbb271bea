{
  config,
  lib,
  pkgs,
  ...
}:

let
  inherit (lib) mkDefault mkOption types;
  cfg = config.services.muster.server;
  nats = config.services.muster.nats;
  process = import ./process.nix { inherit lib; };
  state = "/var/lib/muster/server";
  settings = {
    SERVER_PORT = cfg.port;
    MASTER_KEY_FILE = "${state}/master.key";
    IMAGE_STORE_DIR = "${state}/images";
    LOCAL_TOKEN_FILE = "${state}/local-token";
    NATS_URL = "127.0.0.1:${toString nats.port}";
    NATS_PUBLIC_SERVERS = "{edge_host}:${toString nats.port}";
    ENROLL_PUBLIC_URL = "http://{edge_host}:${toString cfg.port}";
  }
  // lib.optionalAttrs cfg.createDatabase {
    # Peer authentication over the Unix socket: there is no password.
    DATABASE_URL = "postgres://muster@/muster?host=/run/postgresql";
  };
  # Since 23.11; before, the owner is named by privileges.
  ownership =
    if lib.versionAtLeast lib.trivial.release "23.11" then
      { ensureDBOwnership = true; }
    else
      { ensurePermissions."DATABASE muster" = "ALL PRIVILEGES"; };
in
{
  options.services.muster.server = {
    enable = lib.mkEnableOption "Muster's server: the contract, the rules, the journal and the image store";

    package = mkOption {
      type = types.package;
      default = (import ../../packages.nix { inherit pkgs; }).server;
      defaultText = "the server of this flake";
      description = "Package with bin/muster-server.";
    };

    port = mkOption {
      type = types.port;
      default = 8080;
      description = "TCP port of the contract, REST, health and the image store.";
    };

    createDatabase = mkOption {
      type = types.bool;
      default = !(cfg.secretFiles ? DATABASE_URL);
      defaultText = "true unless secretFiles.DATABASE_URL names another database";
      description = "Whether PostgreSQL runs on this host with a database for Muster.";
    };

    settings = process.settingsOption "server";
    secretFiles = process.secretFilesOption { DATABASE_URL = "/run/keys/muster-database-url"; };

    environment = mkOption {
      type = types.attrsOf types.str;
      internal = true;
      readOnly = true;
      default = process.environment {
        settings = settings // cfg.settings;
        inherit (cfg) secretFiles;
      };
      description = "What the server reads; `nats-config` reads the same.";
    };
  };

  config = lib.mkIf cfg.enable {
    assertions = process.noSecretsIn "server" [ "DATABASE_URL" ] cfg.settings;

    services.postgresql = lib.mkIf cfg.createDatabase {
      enable = true;
      ensureDatabases = [ "muster" ];
      ensureUsers = [ ({ name = "muster"; } // ownership) ];
    };

    systemd.services.muster-server = {
      description = "Muster server";
      wantedBy = [ "multi-user.target" ];
      wants = [ "network-online.target" ];
      requires = lib.optional cfg.createDatabase "postgresql.service";
      after = [
        "network-online.target"
        "postgresql.service"
        # Since 25.11 it is reached when databases and users are there.
        "postgresql.target"
        "muster-nats.service"
      ];
      # Half the memory for a few per cent of CPU: see serverMemory in cli/up/processes.ts.
      environment = cfg.environment // {
        NODE_OPTIONS = "--max-old-space-size=1024 --max-semi-space-size=8";
        MALLOC_ARENA_MAX = "2";
      };
      serviceConfig = process.hardening // {
        ExecStart = "${cfg.package}/bin/muster-server";
        User = "muster";
        Group = "muster";
        StateDirectory = "muster/server";
        StateDirectoryMode = "0700";
        Restart = "on-failure";
        RestartSec = 2;
        TimeoutStopSec = 30;
        LimitNOFILE = 65536;
        RestrictAddressFamilies = [
          "AF_INET"
          "AF_INET6"
          "AF_UNIX"
        ];
        CapabilityBoundingSet = "";
      };
    };

    networking.firewall.allowedTCPPorts = lib.mkIf config.services.muster.openFirewall (mkDefault [ cfg.port ]);
  };
}

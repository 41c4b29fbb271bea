{
  config,
  lib,
  pkgs,
  ...
}:

let
  inherit (lib) mkOption types;
  cfg = config.services.muster.builder;
  server = config.services.muster.server;
  process = import ./process.nix { inherit lib; };
  tools = import ./builder-tools.nix { inherit pkgs; };
  settings = {
    SERVER_URL = cfg.serverUrl;
    BUILDER_STATE_DIR = "/var/lib/muster/builder";
  };
in
{
  options.services.muster.builder = {
    enable = lib.mkEnableOption "Muster's builder: builds images and boots each in QEMU before a machine may have it";

    package = mkOption {
      type = types.package;
      default = (import ../../packages.nix { inherit pkgs; }).builder;
      defaultText = "the builder of this flake";
      description = "Package with bin/muster-builder.";
    };

    serverUrl = process.serverUrlOption server;

    settings = process.settingsOption "builder";
    secretFiles = process.secretFilesOption { JOIN_CODE = "/run/keys/muster-builder-join-code"; };
  };

  config = lib.mkIf cfg.enable {
    assertions = process.noSecretsIn "builder" [ "JOIN_CODE" ] cfg.settings;

    systemd.services.muster-builder = {
      description = "Muster builder: builds and boot-tests images";
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
      serviceConfig = {
        ExecStart = "${cfg.package}/bin/muster-builder";
        # Root, as on Debian: it makes device nodes and owners of all kinds. Run builders on hosts of their own.
        StateDirectory = "muster/builder";
        StateDirectoryMode = "0700";
        Restart = "on-failure";
        RestartSec = 5;
        TimeoutStopSec = 60;
        # The QEMU and Nix processes of a build end with it.
        KillMode = "control-group";
        ProtectHome = true;
        PrivateTmp = true;
        # The builder looks for programs, firmware and ROMs where Debian has them.
        TemporaryFileSystem = "/usr";
        BindReadOnlyPaths = [
          "${tools.programs}/bin:/usr/bin"
          "${tools.data}/share:/usr/share"
          "${tools.data}/lib:/usr/lib"
        ];
      };
    };
  };
}

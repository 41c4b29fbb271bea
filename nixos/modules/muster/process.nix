# What the modules of the single processes share: their options `settings`, `secretFiles` and `serverUrl`, and the hardening of those that
# need no rights.
{ lib }:

let
  inherit (lib) mkOption types;
  text = value: if lib.isBool value then lib.boolToString value else toString value;
in
{
  settingsOption =
    process:
    mkOption {
      type = types.attrsOf (
        types.oneOf [
          types.bool
          types.int
          types.str
        ]
      );
      default = { };
      example = {
        LOG_LEVEL = "debug";
      };
      description = ''
        Settings of the ${process} by the names of docs/configuration.md. They lie in the Nix store, which everybody can read: secrets belong
        into `secretFiles`.
      '';
    };

  serverUrlOption =
    server:
    mkOption {
      type = types.strMatching "https?://.+";
      default = "http://127.0.0.1:${toString server.port}";
      defaultText = "the server of this host";
      description = "Where the server is.";
    };

  secretFilesOption =
    example:
    mkOption {
      # Not types.path: a path literal would be copied into the store.
      type = types.attrsOf (types.strMatching "/.*");
      default = { };
      inherit example;
      description = "Files on this host that hold the values of secret settings, by the names of the settings.";
    };

  environment =
    { settings, secretFiles }:
    lib.mapAttrs (_: text) settings
    // lib.mapAttrs' (name: file: lib.nameValuePair "${name}_FILE" file) secretFiles;

  noSecretsIn =
    process: names: settings:
    map (name: {
      assertion = !(settings ? ${name});
      message = "services.muster.${process}.settings.${name} would put a secret into the Nix store: use services.muster.${process}.secretFiles.${name}";
    }) names;

  hardening = {
    NoNewPrivileges = true;
    ProtectSystem = "strict";
    ProtectHome = true;
    PrivateTmp = true;
    PrivateDevices = true;
    ProtectClock = true;
    ProtectControlGroups = true;
    ProtectHostname = true;
    ProtectKernelLogs = true;
    ProtectKernelModules = true;
    ProtectKernelTunables = true;
    LockPersonality = true;
    RestrictNamespaces = true;
    RestrictRealtime = true;
    RestrictSUIDSGID = true;
    SystemCallArchitectures = "native";
    SystemCallFilter = [ "@system-service" ];
    SystemCallErrorNumber = "EPERM";
    UMask = "0077";
  };
}

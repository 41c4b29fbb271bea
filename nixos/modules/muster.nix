# Muster's control plane on NixOS. Each process can be enabled alone; `services.muster.enable` turns on everything on this host, with its
# own PostgreSQL and nats-server, like `npm run up`.
{
  config,
  lib,
  pkgs,
  ...
}:

let
  cfg = config.services.muster;
in
{
  imports = [
    ./muster/server.nix
    ./muster/nats.nix
    ./muster/edge.nix
    ./muster/builder.nix
    ./muster/joining.nix
  ];

  options.services.muster = {
    enable = lib.mkEnableOption "the whole of Muster on this host: server, edge, builder, PostgreSQL and NATS";

    openFirewall = lib.mkOption {
      type = lib.types.bool;
      default = false;
      description = "Whether the ports of the enabled processes are opened in the firewall (docs/ports.md).";
    };

    cliPackage = lib.mkOption {
      type = lib.types.package;
      default = (import ../packages.nix { inherit pkgs; }).cli;
      defaultText = "the cli of this flake";
      description = "Package with bin/muster.";
    };
  };

  config = lib.mkMerge [
    (lib.mkIf cfg.enable {
      services.muster = {
        server.enable = lib.mkDefault true;
        nats.enable = lib.mkDefault true;
        edge.enable = lib.mkDefault true;
        builder.enable = lib.mkDefault true;
      };
    })
    (lib.mkIf (cfg.server.enable || cfg.edge.enable || cfg.builder.enable) {
      environment.systemPackages = [ cfg.cliPackage ];
    })
    (lib.mkIf (cfg.server.enable || cfg.edge.enable || cfg.nats.enable) {
      users.users.muster = {
        isSystemUser = true;
        group = "muster";
        home = "/var/lib/muster";
        description = "Muster";
      };
      users.groups.muster = { };
    })
  ];
}

# One evaluation of nixos/check-against-nixpkgs.sh: gives what the image's plan says, or for the control plane its derivation and units.
{
  # A nixpkgs tree.
  nixpkgs,
  # Another tree whose NixOS modules are taken, with `lib` from a third: for trees of which only these could be had.
  modulesTree ? nixpkgs,
  libTree ? nixpkgs,
  system ? "x86_64-linux",
  # machine, registration, control-plane, agent-only, dev-shell, or template:NAME of templates/examples.nix
  what,
  # default, scripted or systemd
  stage1 ? "default",
}:

let
  lib = import (libTree + "/lib");
  isMixed = modulesTree != nixpkgs;
  evalConfig =
    { system, modules }:
    import (modulesTree + "/nixos/lib/eval-config.nix") (
      if isMixed then
        {
          inherit lib;
          system = null;
          modules = modules ++ [
            (
              let
                packages = import ./mixed-packages.nix { inherit nixpkgs lib system; };
              in
              {
                nixpkgs.pkgs = packages;
                # Packages from outside are made with their configuration already.
                nixpkgs.config = lib.mkForce { };
                # They need functions that only newer packages have, and are no part of what is checked.
                boot.enableContainers = false;
                system.switch.enable = false;
                system.disableInstallerTools = true;
                _module.args.pkgs = lib.mkForce packages;
              }
            )
          ];
        }
      else
        { inherit system modules; }
    );
  images = import ../machine-image.nix { inherit evalConfig; };
  pkgs = import nixpkgs { inherit system; };

  stage1Module = lib.optional (stage1 != "default") {
    boot.initrd.systemd.enable = stage1 == "systemd";
  };
  facts = {
    machineId = "0198c0de-0000-7000-8000-000000000001";
    hostName = "r7-n12.example.com";
    memoryBytes = 68719476736;
    sshAuthorizedKeys = [ "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAnn ann@desk" ];
  };
  machine =
    modules:
    (images.machineImage {
      inherit system facts;
      modules = stage1Module ++ modules;
    }).plan;

  onDisk = {
    boot.loader.grub.enable = false;
    fileSystems."/" = {
      device = "/dev/disk/by-label/root";
      fsType = "ext4";
    };
    networking.hostName = "control";
    documentation.enable = false;
    system.stateVersion = lib.trivial.release;
  };
  installed =
    modules: units:
    let
      nixos = evalConfig {
        inherit system;
        modules = [ onDisk ] ++ modules;
      };
    in
    {
      drvPath = builtins.unsafeDiscardStringContext nixos.config.system.build.toplevel.drvPath;
      inherit (nixos.config) warnings;
      units = map (name: (nixos.config.systemd.units.${name}.text)) units;
    };

  templateName = lib.removePrefix "template:" what;
  example = (import ../templates/examples.nix).${templateName};
in
if lib.hasPrefix "template:" what then
  machine [
    (import (../templates + "/${example.template}.nix") example.parameters)
  ]
else
  {
    machine = machine [ ];
    registration =
      (images.registrationImage {
        inherit system;
        modules = stage1Module;
      }).plan;
    control-plane = installed [
      ../modules/muster.nix
      {
        services.muster.enable = true;
        services.muster.openFirewall = true;
      }
    ] [ "muster-server.service" "muster-nats.service" "muster-edge.service" "muster-builder.service" ];
    agent-only = installed [
      ../modules/agent.nix
      { services.muster-agent.enable = true; }
    ] [ "muster-agent.service" ];
    dev-shell.drvPath =
      builtins.unsafeDiscardStringContext
        (import ../dev-shell.nix { inherit pkgs; }).drvPath;
  }
  .${what}

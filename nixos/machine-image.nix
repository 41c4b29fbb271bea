# From NixOS modules and facts to a netboot image. `evalConfig` is nixpkgs' nixos/lib/eval-config.nix, or lib.nixosSystem of its flake.
{ evalConfig }:

let
  imageOf =
    { system, modules }:
    let
      nixos = evalConfig { inherit system modules; };
      inherit (nixos) config pkgs;
      inherit (pkgs) lib;
      inherit (config.system.build) toplevel kernel netbootRamdisk squashfsStore;
      definitionsHold = import ./force-definitions.nix { inherit nixos modules; };
      commandLine = "init=${toplevel}/init ${lib.concatStringsSep " " config.boot.kernelParams}";
      image = import ./image-derivation.nix {
        inherit
          pkgs
          toplevel
          kernel
          netbootRamdisk
          squashfsStore
          commandLine
          ;
        kernelFile = config.system.boot.loader.kernelFile;
        kernelVersion = config.boot.kernelPackages.kernel.version;
      };
    in
    rec {
      inherit image toplevel config;
      # The derivation first: what is wrong there is told in the words of NixOS.
      plan = builtins.seq image.drvPath (builtins.seq definitionsHold description);
      description = {
        drvPath = builtins.unsafeDiscardStringContext image.drvPath;
        hostName = config.networking.hostName;
        inherit (config.boot) kernelParams;
        inherit (config) warnings;
        inherit (config.system) stateVersion;
        sshKeys = builtins.length config.users.users.root.openssh.authorizedKeys.keys;
      };
    };

  # What a newer server may say beside these is not for this release.
  factNames = [
    "machineId"
    "hostName"
    "serviceTag"
    "uuid"
    "manufacturer"
    "product"
    "macAddresses"
    "cpuThreads"
    "memoryBytes"
    "firmwareMode"
    "sshAuthorizedKeys"
  ];
  knownFacts =
    facts:
    builtins.listToAttrs (
      builtins.concatMap (
        name: if facts ? ${name} then [ { inherit name; value = facts.${name}; } ] else [ ]
      ) factNames
    );
in
{
  machineImage =
    {
      system ? "x86_64-linux",
      modules,
      # The facts themselves, or the whole of machine.json.
      facts ? { },
    }:
    imageOf {
      inherit system;
      modules = [
        ./machine.nix
        { muster.facts = knownFacts (facts.facts or facts); }
      ]
      ++ modules;
    };

  registrationImage =
    {
      system ? "x86_64-linux",
      modules ? [ ],
    }:
    imageOf {
      inherit system;
      modules = [ ./registration.nix ] ++ modules;
    };
}

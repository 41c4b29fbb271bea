# `nix flake check`: that images and the control plane evaluate on this system, and that the templates do. The images themselves are built
# by `nix build path:.#registration`; the whole loop by checks.whole-loop, which needs KVM.
{
  pkgs,
  images,
  system,
  nixosModules,
}:

let
  inherit (pkgs) lib;
  evaluated =
    name: drvPath:
    pkgs.runCommand "muster-evaluated-${name}" { } ''
      echo ${lib.escapeShellArg (builtins.unsafeDiscardStringContext drvPath)} >$out
    '';
  examples = import ./templates/examples.nix;
  templateImage =
    name: parameters:
    (images.machineImage {
      inherit system;
      modules = [ (import (./templates + "/${name}.nix") parameters) ];
      facts.hostName = "check";
    }).plan.drvPath;
in
{
  registration = evaluated "registration" (images.registrationImage { inherit system; }).plan.drvPath;
}
// lib.mapAttrs' (
  name: example: lib.nameValuePair "template-${name}" (evaluated name (templateImage example.template example.parameters))
) examples
// lib.optionalAttrs (system == "x86_64-linux") {
  whole-loop = import ./tests/whole-loop.nix { inherit pkgs nixosModules; };
}

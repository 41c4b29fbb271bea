# The boot loaders that the edge serves. iPXE of nixpkgs has no snponly.efi, which uses the network card through the firmware's own driver.
{ pkgs }:

let
  inherit (pkgs) lib;
  takesTargets = (lib.functionArgs pkgs.ipxe.override) ? additionalTargets;
in
if takesTargets && pkgs.stdenv.hostPlatform.isx86_64 then
  pkgs.ipxe.override {
    additionalTargets = {
      "bin-x86_64-efi/snponly.efi" = null;
    };
  }
else
  pkgs.ipxe

# What the builder runs and reads, in the places where Debian has it: `programs` for /usr/bin, `data` for /usr/share and /usr/lib. The
# reasons stand in scripts/packages.js.
{ pkgs }:

let
  inherit (pkgs) lib;
  given = lib.filter (package: package != null);
  isX86 = pkgs.stdenv.hostPlatform.isx86_64;
  busybox = (pkgs.pkgsStatic or pkgs).busybox;
in
rec {
  packages = given [
    pkgs.bash
    pkgs.coreutils
    pkgs.findutils
    pkgs.gnugrep
    pkgs.gnused
    pkgs.gnutar
    pkgs.gzip
    pkgs.util-linux or pkgs.utillinux
    pkgs.nix
    pkgs.qemu
    pkgs.squashfsTools
    pkgs.zstd
    pkgs.xz
    pkgs.cpio
    pkgs.kmod
    pkgs.binutils-unwrapped
    pkgs.dpkg
    (pkgs.mmdebstrap or null)
    (pkgs.apt or null)
  ];

  programs = pkgs.buildEnv {
    name = "muster-builder-programs";
    paths = packages;
    pathsToLink = [ "/bin" ];
    ignoreCollisions = true;
    # Static, because it becomes the shell of initrds. Only by this name, so that it hides no other program.
    postBuild = "ln -sf ${busybox}/bin/busybox $out/bin/busybox";
  };

  data = pkgs.runCommand "muster-builder-data" { } (
    ''
      mkdir -p $out/share $out/lib/ipxe/qemu
      ln -s ${pkgs.qemu}/share/qemu/*.rom $out/lib/ipxe/qemu/
      for rom in $out/lib/ipxe/qemu/efi-*.rom; do
        name=''${rom##*/efi-}
        ln -sfn "$(readlink "$rom")" $out/lib/ipxe/qemu/pxe-"$name"
      done
    ''
    + lib.optionalString isX86 ''
      mkdir -p $out/share/OVMF
      ln -s ${pkgs.OVMF.fd}/FV/OVMF_CODE.fd $out/share/OVMF/OVMF_CODE_4M.fd
      ln -s ${pkgs.OVMF.fd}/FV/OVMF_VARS.fd $out/share/OVMF/OVMF_VARS_4M.fd
    ''
  );
}

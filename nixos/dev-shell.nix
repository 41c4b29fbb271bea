# What `npm run up`, `npm test` and `npm run check` need on NixOS: the counterparts of the Debian packages in scripts/packages.js, which
# stand there with their reasons. Node itself comes with the npm packages; this one runs npm.
{ pkgs }:

let
  inherit (pkgs) lib;
  first = names: lib.findFirst (package: package != null) null (map (name: pkgs.${name} or null) names);
in
pkgs.mkShell {
  name = "muster";
  packages = lib.filter (package: package != null) [
    (first [
      "nodejs_26"
      "nodejs_latest"
      "nodejs"
    ])
    # supervisor, NATS, boot loaders
    pkgs.util-linux
    pkgs.shadow
    (pkgs.nats-server or null)
    pkgs.ipxe
    # builder
    (pkgs.mmdebstrap or null)
    pkgs.squashfsTools
    pkgs.zstd
    pkgs.xz
    pkgs.cpio
    (pkgs.pkgsStatic.busybox or pkgs.busybox)
    pkgs.kmod
    pkgs.binutils
    pkgs.dpkg
    pkgs.nix
    # boot tests and lab
    pkgs.qemu
    pkgs.iproute2
    pkgs.dnsmasq
    # tests
    pkgs.git
    pkgs.curl
    (pkgs.tftp-hpa or null)
    (pkgs.kea or null)
  ];

  # Where our programs look beside the PATH. Debian's paths are the defaults.
  LOADERS_DIR = "${pkgs.ipxe}";
  NIX_LD_LIBRARY_PATH = lib.makeLibraryPath [ pkgs.stdenv.cc.cc.lib ];
  shellHook = ''
    # The Node and PostgreSQL of the npm packages are linked for an ordinary Linux: they need programs.nix-ld.
    if [ ! -e /lib64/ld-linux-x86-64.so.2 ] && [ ! -e /lib/ld-linux-aarch64.so.1 ]; then
      echo 'Muster: set programs.nix-ld.enable = true on this NixOS: the Node and PostgreSQL of the npm packages need a loader' >&2
    fi
  '';
}

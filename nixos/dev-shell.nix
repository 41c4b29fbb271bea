# What `npm run up`, `npm test` and `npm run check` need on NixOS: the counterparts of the Debian packages in scripts/packages.js, where
# their reasons stand. A root of its own (buildFHSEnv), because the Node and PostgreSQL of the npm packages are linked for an ordinary Linux,
# and because firmware and boot loaders are looked for where Debian has them.
{ pkgs }:

let
  inherit (pkgs) lib;
  given = lib.filter (package: package != null);
  builder = import ./modules/muster/builder-tools.nix { inherit pkgs; };
  loaders = import ./modules/muster/loaders.nix { inherit pkgs; };
  buildFHSEnv = pkgs.buildFHSEnv or pkgs.buildFHSUserEnv;
  nats = pkgs.nats-server or null;
  natsPath = lib.optionalString (nats != null) "${nats}/bin/nats-server";
in
(buildFHSEnv {
  name = "muster-dev";
  targetPkgs =
    _pkgs:
    builder.packages
    ++ given [
      # It runs npm; the checkout brings its own Node 26.
      (pkgs.nodejs_26 or pkgs.nodejs_latest or pkgs.nodejs)
      # libatomic.so.1
      pkgs.stdenv.cc.cc.lib
      pkgs.cacert
      pkgs.shadow
      pkgs.iproute2 or pkgs.iproute
      pkgs.dnsmasq
      pkgs.git
      pkgs.curl
      (pkgs.tftp-hpa or null)
      (pkgs.kea or null)
      nats
    ];
  extraBuildCommands = ''
    mkdir -p usr/share/OVMF usr/lib/ipxe
    cp -rs ${builder.data}/share/. usr/share/
    cp -rs ${builder.data}/lib/. usr/lib/
    for file in snponly.efi undionly.kpxe ipxe.efi; do
      if [ -e ${loaders}/$file ]; then ln -s ${loaders}/$file usr/lib/ipxe/$file; fi
    done
  '';
  profile = ''
    tools=/var/lib/muster/tools
    if [ -n "${natsPath}" ] && [ ! -e "$tools/nats-server" ]; then
      if [ -w /var/lib ]; then
        mkdir -p "$tools" && ln -s "${natsPath}" "$tools/nats-server"
      else
        echo "Muster: as root, run: mkdir -p $tools && ln -s ${natsPath} $tools/nats-server" >&2
      fi
    fi
  '';
  runScript = "bash";
}).env

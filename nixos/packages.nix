# Muster's programs, from the bundles that `npm run bundle` writes to nixos/dist. They are plain JavaScript, so nothing is compiled and
# no npm registry is asked.
{ pkgs }:

let
  inherit (pkgs) lib;

  # Bundles are made for Node 26. On a nixpkgs without it the newest one there is serves for evaluation; modules/agent.nix warns.
  nodejs = pkgs.nodejs_26 or pkgs.nodejs_latest or pkgs.nodejs;

  bundle =
    name:
    let
      path = ./dist + "/${name}";
    in
    if builtins.pathExists path then
      path
    else
      throw ''
        nixos/dist/${name} is missing. Run `npm run bundle` in the checkout, and name the flake as `path:.../nixos`: git ignores
        nixos/dist, so a flake that is read through git does not have it.
      '';

  # Keep the resident memory small; nothing in the agent needs the speed or WebAssembly that they cost.
  smallNodeFlags = "--lite-mode --max-semi-space-size=1 --expose-gc";
  smallSettings = "--set-default MALLOC_ARENA_MAX 1 --set-default MALLOC_TRIM_THRESHOLD_ 65536";

  mkProgram =
    {
      name,
      description,
      install,
      entry,
      nodeFlags ? "",
      settings ? "",
    }:
    pkgs.runCommand name
      {
        nativeBuildInputs = [ pkgs.makeWrapper ];
        passthru = { inherit nodejs; };
        meta = {
          inherit description;
          license = lib.licenses.asl20;
          mainProgram = name;
          platforms = lib.platforms.linux;
        };
      }
      ''
        mkdir -p $out/lib/muster $out/bin
        ${install}
        makeWrapper ${nodejs}/bin/node $out/bin/${name} ${settings} --add-flags "${nodeFlags} $out/lib/muster/${entry}"
      '';

  # Each process is a folder: main.js and the files that it reads beside its own sources. $out/lib/muster stands for the checkout, in which
  # defaults of settings look for more (`install`).
  mkProcess =
    {
      process,
      name ? "muster-${process}",
      description,
      install ? "",
    }:
    mkProgram {
      inherit name description;
      install = ''
        cp -r ${bundle process} $out/lib/muster/${process}
        ${install}
      '';
      entry = "${process}/main.js";
    };
in
{
  inherit nodejs;

  agent = mkProgram {
    name = "muster-agent";
    description = "Muster's agent: inventory, metrics and commands of one machine";
    install = "cp ${bundle "agent.cjs"} $out/lib/muster/agent.cjs";
    entry = "agent.cjs";
    nodeFlags = smallNodeFlags;
    settings = smallSettings;
  };

  server = mkProcess {
    process = "server";
    description = "Muster's server: the contract, the rules, the journal and the image store";
    install = ''
      mkdir $out/lib/muster/nixos
      cp -r ${./templates} $out/lib/muster/nixos/templates
      ${lib.optionalString (builtins.pathExists ./dist/console) ''
        mkdir $out/lib/muster/console
        cp -r ${./dist/console} $out/lib/muster/console/dist
      ''}
    '';
  };

  builder = mkProcess {
    process = "builder";
    description = "Muster's builder: builds images and boots each in QEMU";
    # The agent that goes into Debian images, and the flake that NixOS images are made of.
    install = ''
      mkdir $out/lib/muster/dist
      cp ${bundle "agent.cjs"} $out/lib/muster/dist/agent.cjs
      cp -r ${./.} $out/lib/muster/nixos
    '';
  };

  edge = mkProcess {
    process = "ipxe";
    name = "muster-edge";
    description = "Muster's edge: network boot for the machines of one site";
  };

  cli = mkProcess {
    process = "cli";
    name = "muster";
    description = "The muster command";
  };
}

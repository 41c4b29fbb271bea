{
  description = "Stands in for Muster's own flake in tests: the same lib.machineImage, built by busybox in the sandbox";
  # Never fetched: the job decides.
  inputs.nixpkgs.url = "path:../nixpkgs";

  outputs = {self, nixpkgs}: let
    inherit (nixpkgs) lib;
    inherit (lib) mkOption types;

    options = {
      networking.hostName = mkOption {type = types.str; default = "standin";};
      services.demo.enable = mkOption {type = types.bool; default = false;};
      services.demo.port = mkOption {type = types.port; default = 80;};
      services.demo.names = mkOption {type = types.listOf types.str; default = [];};
      boot.kernelParams = mkOption {type = types.listOf types.str; default = [];};
      assertions = mkOption {type = types.listOf types.anything; default = [];};
      warnings = mkOption {type = types.listOf types.str; default = [];};
      muster.facts = mkOption {type = types.anything; default = {};};
      # Runs inside the build, before the image is put together.
      build.script = mkOption {type = types.lines; default = "";};
      build.squashfsBytes = mkOption {type = types.anything; default = 1;};
      build.inputs = mkOption {type = types.listOf types.anything; default = [];};
    };

    derive = name: env: script: derivation ({
      inherit name;
      system = "x86_64-linux";
      builder = "/bin/sh";
      args = ["-euc" "/bin/busybox mkdir -p $TMPDIR/bin; /bin/busybox --install -s $TMPDIR/bin; export PATH=$TMPDIR/bin\n${script}"];
    } // env);

    has = file: builtins.pathExists (self + "/${file}");
    imageOf = {modules, facts ? {}, system ? "x86_64-linux"}: let
      config = lib.evalModules {modules = [{inherit options; config.muster.facts = facts;}] ++ modules;};
      commandLine = "init=${toplevel}/init ${builtins.concatStringsSep " " config.boot.kernelParams}";
      toplevel = derive "system-${config.networking.hostName}" {inputs = config.build.inputs;} ''
        say() { echo "@nix $1" >&''${NIX_LOG_FD:-2}; }
        say '{"action":"setPhase","phase":"systemPhase"}'
        echo "system of ${config.networking.hostName}"
        ${config.build.script}
        mkdir -p $out; echo '#!/bin/sh' > $out/init; echo "${config.networking.hostName}" > $out/host-name
      '';
      image = derive "image-${config.networking.hostName}" {
        inherit toplevel commandLine;
        kernel = if has "kernel" then self + "/kernel" else "";
        initrd = if has "initrd" then self + "/initrd" else "";
      } ''
        say() { echo "@nix $1" >&''${NIX_LOG_FD:-2}; }
        say '{"action":"setPhase","phase":"imagePhase"}'
        mkdir -p $out
        if [ -n "$kernel" ]; then cp $kernel $out/kernel; else echo kernel > $out/kernel; fi
        if [ -n "$initrd" ]; then cp $initrd $out/initrd; else echo "ramdisk of $toplevel" > $out/initrd; fi
        echo "$commandLine" > $out/command-line
        echo "{\"toplevel\": \"$toplevel\", \"kernelVersion\": \"6.1\", \"closureBytes\": 1000, \"squashfsBytes\": ${toString config.build.squashfsBytes}}" > $out/manifest.json
        echo "image of ${config.networking.hostName}"
      '';
    in {
      plan = {
        inherit (image) drvPath;
        inherit (config.networking) hostName;
        inherit (config.boot) kernelParams;
        inherit (config) warnings;
        stateVersion = "26.05";
        sshKeys = builtins.length (facts.sshAuthorizedKeys or []);
      };
      inherit image toplevel;
    };
  in {
    lib.machineImage = imageOf;
    lib.registrationImage = {system ? "x86_64-linux"}: imageOf {modules = [{networking.hostName = "registration";}];};
  };
}

# A template's module as plain data, on a NixOS of which only the names are known: `age` is new (26.05) or old (20.09).
{
  template,
  parameters,
  age ? "new",
  facts ? { },
}:

let
  lib = import ./lib.nix;
  isNew = age == "new";
  package = name: {
    type = "derivation";
    inherit name;
    pname = name;
    outPath = "/nix/store/stand-in-${name}";
  };
  pkgs = lib.genAttrs [ "htop" "smartmontools" "nvme-cli" "linuxPackages" ] package // {
    stdenv.hostPlatform.isx86 = true;
  }
  // lib.optionalAttrs isNew {
    rocmPackages = {
      rocminfo = package "rocminfo";
      rocm-smi = package "rocm-smi";
      clr = package "clr" // {
        icd = package "clr-icd";
      };
    };
  };
  options = {
    services = {
      openssh = lib.optionalAttrs isNew { settings = { }; };
      k3s = lib.optionalAttrs isNew {
        tokenFile = { };
        clusterInit = { };
      };
    };
    virtualisation = {
      docker = lib.optionalAttrs isNew { daemon = { }; };
      podman = lib.optionalAttrs isNew { autoPrune = { }; };
    };
    hardware = {
      nvidia = lib.optionalAttrs isNew {
        open = { };
        package = { };
        nvidiaPersistenced = { };
        nvidiaSettings = { };
      };
    }
    // lib.optionalAttrs isNew {
      graphics = { };
      nvidia-container-toolkit = { };
    };
  };
  config = {
    boot.kernelPackages.nvidiaPackages.production = package "nvidia";
    services.k3s.package = package "k3s";
    muster.facts = {
      machineId = "";
      uuid = "";
      serviceTag = "";
      memoryBytes = 0;
    }
    // facts;
  };
  module = import template parameters {
    inherit
      config
      lib
      options
      pkgs
      ;
  };

  # Conditions are applied, priorities forgotten, functions and packages named.
  isKind = kind: value: builtins.isAttrs value && value._type or "" == kind;
  plain =
    value:
    if isKind "if" value then
      if value.condition then plain value.content else null
    else if isKind "merge" value then
      builtins.foldl' merge { } (map plain value.contents)
    else if isKind "override" value then
      plain value.content
    else if lib.isDerivation value then
      value.name
    else if builtins.isFunction value then
      "a function"
    else if builtins.isAttrs value then
      builtins.mapAttrs (_: plain) value
    else if builtins.isList value then
      map plain value
    else
      value;
  merge =
    a: b:
    if builtins.isAttrs a && builtins.isAttrs b then
      a // builtins.mapAttrs (name: part: if a ? ${name} then merge a.${name} part else part) b
    else if builtins.isList a && builtins.isList b then
      a ++ b
    else if b == null then
      a
    else
      b;
  result = plain module;
in
{
  config = removeAttrs result [ "assertions" ];
  failed = map ({ message, ... }: message) (
    builtins.filter ({ assertion, ... }: !assertion) (result.assertions or [ ])
  );
}

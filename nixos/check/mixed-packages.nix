# Packages of an old nixpkgs for newer NixOS modules: what it lacks is stood in for by empty derivations. Good enough to evaluate modules,
# never to build anything.
{
  nixpkgs,
  lib,
  system,
}:

let
  postgresql_15 = packages.postgresql_12 // {
    withPackages = _: packages.postgresql_12;
  };
  standIns = [
    "nodejs_26"
    "makeInitrdNGTool"
    "chroot-realpath"
    "kmod-debian-aliases"
    "nvidia-vaapi-driver"
    "addDriverRunpath"
    "catatonit"
    "netavark"
    "aardvark-dns"
    "nvidia-container-toolkit"
    "libxcrypt"
    "nixos-firewall-tool"
    "iproute2"
    "libreelec-dvb-firmware"
    "rtl8761b-firmware"
    "linux-firmware"
    "util-linux"
    "nsncd"
    "kexec-tools"
  ];
  packages = import nixpkgs {
    inherit system;
    config.allowUnfree = true;
  };
  formatNames = [
    "elixirConf"
    "gitIni"
    "hocon"
    "ini"
    "iniWithGlobalSection"
    "javaProperties"
    "json"
    "keyValue"
    "libconfig"
    "lua"
    "php"
    "pythonVars"
    "systemd"
    "toml"
    "xml"
    "yaml"
  ];
  format = {
    type = lib.types.attrsOf lib.types.anything;
    generate = name: value: packages.writeText name (builtins.toJSON value);
    lib = { };
  };
  initrd =
    {
      name ? "initrd",
      contents,
      prepend ? [ ],
      ...
    }:
    packages.runCommand name {
      contents = builtins.toJSON contents;
      inherit prepend;
    } "mkdir $out"
    // {
      compressorExecutableFunction = _: "zstd";
      compressorArgs = [ ];
    };
  nvidia = standIn "nvidia" // {
    version = "570.0";
    useProfiles = false;
    ibtSupport = true;
    open = standIn "nvidia-open";
    settings = standIn "nvidia-settings";
    persistenced = standIn "nvidia-persistenced";
    firmware = standIn "nvidia-firmware";
    bin = standIn "nvidia-bin";
  };
  kernelOf =
    kernel:
    kernel
    // {
      kernelAtLeast = _: true;
      kernelOlder = _: false;
      override = arguments: kernelOf (kernel.override arguments);
    };
  standIn =
    name:
    packages.runCommand name {
      version = "99";
      meta.mainProgram = name;
    } "mkdir $out"
    // {
      override = _: standIn name;
      enabledCryptSchemeIds = [ "y" ];
      driverLink = "/run/opengl-driver";
    };
in
lib.genAttrs standIns standIn
// packages
// {
  lib = packages.lib // lib;
  stdenv = packages.stdenv // {
    hostPlatform =
      lib.systems.elaborate system
      // {
        linux-kernel = {
          target = if lib.hasPrefix "x86_64" system then "bzImage" else "Image";
          name = "stand-in";
        };
      };
  };
  postgresql_15 = packages.postgresql_12 // {
    withoutJIT = postgresql_15;
    pkgs = { };
    withPackages = _: packages.postgresql_12;
  };
  skopeo = packages.skopeo // {
    policy = standIn "policy";
  };
  zfs = packages.zfs // {
    version = packages.zfs.version or "0";
    kernelModuleAttribute = "zfs";
  };
  makeInitrd = initrd;
  makeInitrdNG = initrd;
  linuxPackages = packages.linuxPackages.extend (
    _: previous: {
      kernelAtLeast = _: true;
      kernelOlder = _: false;
      kernel = kernelOf previous.kernel;
      zfs = standIn "zfs-module" // {
        version = packages.zfs.version or "0";
      };
      nvidiaPackages = (previous.nvidiaPackages or { }) // {
        production = nvidia;
        stable = nvidia;
      };
    }
  );
  compressFirmwareZstd = lib.id;
  makeDBusConf = _: standIn "dbus-conf";
  concatText = name: _: standIn name;
  cacert = packages.cacert // {
    override = _: packages.cacert // { p11kit = packages.cacert; hashed = packages.cacert; };
  };
  substitute = _: standIn "substituted";
  systemd =
    packages.systemd
    // lib.genAttrs [
      "withBootloader"
      "withCryptsetup"
      "withEfi"
      "withFido2"
      "withHomed"
      "withHostnamed"
      "withImportd"
      "withLocaled"
      "withLogind"
      "withMachined"
      "withNetworkd"
      "withPortabled"
      "withSysupdate"
      "withTimedated"
      "withTimesyncd"
      "withNetworkViewer"
      "withTpm2Units"
      "withTpm2Tss"
      "withUtmp"
    ] (_: false)
    // {
      inherit (packages) kmod;
      kbd = packages.kbd // {
        inherit (packages) gzip;
      };
      util-linux = packages.utillinux;
      interfaceVersion = 2;
    };
  buildPackages = packages.buildPackages // {
    bintools = packages.binutils;
  };
  callPackage =
    file: arguments:
    let
      called = if builtins.isPath file || builtins.isString file then import file else file;
    in
    packages.callPackage called (
      builtins.intersectAttrs (lib.functionArgs called) (lib.genAttrs standIns standIn // { inherit lib; })
      // arguments
    );
  # Newer stdenvs take a name out of a store path.
  pkgsStatic = packages.pkgsStatic // {
    callPackage = _: _: standIn "static-program";
  };
  formats = lib.genAttrs formatNames (name: if name == "systemd" then format else _: format);
}

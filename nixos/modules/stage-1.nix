# Carries boot.json and image.json, which arrive as small initrds of their own, across stage 1 to /run/muster (docs/boot.md). Works in
# scripted stage 1 and in systemd stage 1, whichever the image has.
{
  config,
  lib,
  options,
  ...
}:

let
  hasSystemdStage1 = options.boot.initrd ? systemd;
  usesSystemdStage1 = hasSystemdStage1 && config.boot.initrd.systemd.enable;
  # Scripted stage 1 is deprecated since NixOS 26.05.
  hasScriptedStage1 = options.boot.initrd ? preDeviceCommands;

  # The same text for the shell of busybox and for bash. The markers are what boot tests and people look for on the console.
  carryFiles = reboot: ''
    muster_say() { echo "MUSTER $*" >/dev/console; }
    # Without them the machine is of no use: say why where somebody may see it, then try the whole boot again.
    muster_fail() {
      muster_say "error: $*"
      muster_say "restarting in 30 seconds"
      sleep 30
      ${reboot}
    }
    # muster_carry FILE MODE WHO
    muster_carry() {
      if [ -s "/muster/$1" ]; then
        cat "/muster/$1" >"/run/muster/$1" && chmod "$2" "/run/muster/$1" && rm -f "/muster/$1" ||
          muster_fail "cannot copy $1"
      else
        muster_fail "$1 is missing: the boot script must load $3 after the image's initrd and name it with initrd=$3"
      fi
    }
    muster_say "init $(uname -r)"
    mkdir -m 755 -p /run/muster
    muster_mask=$(umask)
    umask 377
    muster_carry boot.json 400 boot.cpio
    muster_carry image.json 444 image.cpio
    umask "$muster_mask"
  '';
in
{
  config = lib.mkMerge [
    (lib.optionalAttrs hasScriptedStage1 {
      # /proc, /sys, /dev and /run are mounted by then; /run moves along into stage 2.
      boot.initrd.preDeviceCommands = lib.mkIf (!usesSystemdStage1) (
        lib.mkBefore (carryFiles "reboot -f")
      );
    })
    (lib.optionalAttrs hasSystemdStage1 {
      boot.initrd.systemd.services.muster-boot-files = lib.mkIf usesSystemdStage1 {
        description = "Muster's boot.json and image.json";
        # initrd.target waits for it, so no machine reaches stage 2 without them.
        requiredBy = [ "initrd.target" ];
        before = [
          "initrd.target"
          "shutdown.target"
        ];
        conflicts = [ "shutdown.target" ];
        unitConfig.DefaultDependencies = false;
        serviceConfig = {
          Type = "oneshot";
          RemainAfterExit = true;
        };
        script = ''
          export PATH=/bin:/sbin
          ${carryFiles "systemctl reboot --force --force"}
        '';
      };
    })
  ];
}

# Tells on the console how far a boot came, in the words that boot tests look for (builder/boot-tests/stages.ts).
{ lib, pkgs, ... }:

let
  marker = {
    serviceConfig = {
      Type = "oneshot";
      RemainAfterExit = true;
      StandardOutput = "journal+console";
    };
  };
in
{
  systemd.services.muster-root-ready = marker // {
    description = "Marker of Muster: the root file system is there";
    wantedBy = [ "sysinit.target" ];
    unitConfig.DefaultDependencies = false;
    after = [ "local-fs.target" ];
    before = [
      "sysinit.target"
      "shutdown.target"
    ];
    conflicts = [ "shutdown.target" ];
    script = "echo MUSTER root ready";
  };

  # Nothing waits for it: a machine without a network keeps booting.
  systemd.services.muster-network-up = marker // {
    description = "Marker of Muster: the network is up";
    wantedBy = [ "multi-user.target" ];
    wants = [ "network-online.target" ];
    after = [ "network-online.target" ];
    path = [ pkgs.iproute2 or pkgs.iproute ];
    script = ''
      ip -4 -o address show scope global | while read -r _ name _ address _; do
        echo "MUSTER network up $name ''${address%/*}"
      done
    '';
  };
}

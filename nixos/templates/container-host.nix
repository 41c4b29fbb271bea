# A host for containers, with Podman or Docker.
parameters:
{
  config,
  lib,
  options,
  ...
}:

let
  isDocker = parameters.runtime == "docker";
  dataFolder = if isDocker then "/var/lib/docker" else "/var/lib/containers";
  prune = {
    enable = parameters.autoPrune;
    dates = "daily";
    flags = [
      "--all"
      "--filter=until=${toString (parameters.pruneAfterDays * 24)}h"
    ];
  };
  takesDaemonSettings = options.virtualisation.docker ? daemon;
  # podman prunes by itself since NixOS 21.11.
  podmanPrunes = options.virtualisation.podman ? autoPrune;
  daemonSettings = {
    live-restore = true;
    log-driver = "journald";
  }
  // lib.optionalAttrs (parameters.registryMirror != "") {
    registry-mirrors = [ parameters.registryMirror ];
  };
  # One mirror in the words of containers-registries.conf(5), which has hosts and no URLs.
  mirrorHost = lib.removePrefix "http://" (lib.removePrefix "https://" parameters.registryMirror);
in
lib.mkMerge [
  {
    assertions = [
      {
        assertion = isDocker || parameters.dockerUsers == [ ];
        message = "container-host: dockerUsers is for the runtime docker; users of Podman need no group";
      }
    ];

    boot.kernel.sysctl."net.ipv4.ip_forward" = lib.mkDefault 1;

    # Images and volumes; without a device they lie in memory and are gone with each boot.
    fileSystems = lib.mkIf (parameters.dataDevice != "") {
      ${dataFolder} = {
        device = parameters.dataDevice;
        fsType = parameters.dataFileSystem;
        options = [
          "nofail"
          "x-systemd.device-timeout=60s"
        ];
      };
    };
  }

  (lib.mkIf isDocker {
    virtualisation.docker = {
      enable = true;
      autoPrune = prune;
    }
    // (
      if takesDaemonSettings then
        { daemon.settings = daemonSettings; }
      else
        {
          liveRestore = true;
          logDriver = "journald";
          extraOptions = lib.optionalString (
            parameters.registryMirror != ""
          ) "--registry-mirror=${parameters.registryMirror}";
        }
    );
    # Whoever is in this group is root on the machine.
    users.groups.docker.members = parameters.dockerUsers;
    systemd.services.docker.unitConfig = lib.mkIf (parameters.dataDevice != "") {
      RequiresMountsFor = dataFolder;
    };
  })

  (lib.mkIf (!isDocker) (
    lib.mkMerge [
      {
        virtualisation.podman = {
          enable = true;
          dockerCompat = parameters.dockerCommand;
        };
      }
      (lib.optionalAttrs podmanPrunes { virtualisation.podman.autoPrune = prune; })
      (lib.mkIf (parameters.registryMirror != "") {
        environment.etc."containers/registries.conf.d/50-muster.conf".text = ''
          [[registry]]
          location = "docker.io"
          [[registry.mirror]]
          location = "${mirrorHost}"
          insecure = ${lib.boolToString (lib.hasPrefix "http://" parameters.registryMirror)}
        '';
      })
    ]
  ))
]

# A node of a k3s cluster. The cluster's token never enters the image: it is read from a file in /run, and k3s starts when that file is there.
parameters:
{
  config,
  lib,
  options,
  ...
}:

let
  isServer = parameters.role == "server";
  joins = parameters.serverUrl != "";
  # The first server of a cluster makes a token of its own.
  needsToken = joins || !isServer;
  # Since NixOS 21.03.
  takesTokenFile = options.services.k3s ? tokenFile;
  takesClusterInit = options.services.k3s ? clusterInit;

  flags =
    lib.optionals isServer (map (component: "--disable=${component}") parameters.disabledComponents)
    ++ lib.optional (isServer && parameters.clusterCidr != "") "--cluster-cidr=${parameters.clusterCidr}"
    ++ lib.optional (isServer && parameters.serviceCidr != "") "--service-cidr=${parameters.serviceCidr}"
    ++ lib.optionals isServer (map (name: "--tls-san=${name}") parameters.serverNames)
    ++ lib.optional (parameters.flannelInterface != "") "--flannel-iface=${parameters.flannelInterface}"
    ++ map (label: "--node-label=${label}") parameters.nodeLabels
    ++ map (taint: "--node-taint=${taint}") parameters.nodeTaints
    ++ lib.optional (!takesClusterInit && parameters.clusterInit) "--cluster-init";
in
{
  assertions = [
    {
      assertion = isServer || joins;
      message = "kubernetes-node: an agent needs serverUrl, the address of a server of its cluster";
    }
    {
      assertion = !(parameters.clusterInit && joins);
      message = "kubernetes-node: clusterInit is for the first server, serverUrl for those that join it: give one of them";
    }
    {
      assertion = isServer || !parameters.clusterInit;
      message = "kubernetes-node: clusterInit is for a server";
    }
  ];

  services.k3s = {
    enable = true;
    inherit (parameters) role;
    serverAddr = parameters.serverUrl;
    extraFlags = lib.concatStringsSep " " flags;
  }
  // lib.optionalAttrs (takesTokenFile && needsToken) { inherit (parameters) tokenFile; }
  // lib.optionalAttrs (!takesTokenFile && needsToken) { token = "in ${parameters.tokenFile}"; }
  // lib.optionalAttrs takesClusterInit { inherit (parameters) clusterInit; };

  # Older modules take the token itself only, for the store: there the command is ours.
  systemd.services.k3s.serviceConfig = lib.optionalAttrs (!takesTokenFile && needsToken) {
    ExecStart = lib.mkForce (
      lib.concatStringsSep " " (
        [
          "${config.services.k3s.package}/bin/k3s"
          parameters.role
        ]
        ++ lib.optional joins "--server=${parameters.serverUrl}"
        ++ [ "--token-file=${parameters.tokenFile}" ]
        ++ flags
      )
    );
  };

  # Whoever brings the token writes it to the file, complete, by renaming. Until then k3s waits instead of failing.
  systemd.services.k3s.wantedBy = lib.mkIf needsToken (lib.mkForce [ ]);
  systemd.paths.k3s = lib.mkIf needsToken {
    description = "The token of the cluster";
    wantedBy = [ "multi-user.target" ];
    pathConfig.PathExists = parameters.tokenFile;
  };

  boot.kernelModules = [
    "br_netfilter"
    "overlay"
  ];
  boot.kernel.sysctl = {
    "net.bridge.bridge-nf-call-iptables" = lib.mkDefault 1;
    "net.ipv4.ip_forward" = lib.mkDefault 1;
    "fs.inotify.max_user_instances" = lib.mkDefault 8192;
  };

  networking.firewall = {
    allowedTCPPorts = [
      # kubelet
      10250
    ]
    ++ lib.optional isServer 6443
    # etcd of a cluster with several servers
    ++ lib.optionals (isServer && (parameters.clusterInit || joins)) [
      2379
      2380
    ];
    # flannel's VXLAN
    allowedUDPPorts = [ 8472 ];
    trustedInterfaces = [ "cni0" ];
  };

  # Container images and volumes; without a device they lie in memory and are gone with each boot.
  fileSystems = lib.mkIf (parameters.dataDevice != "") {
    "/var/lib/rancher" = {
      device = parameters.dataDevice;
      fsType = parameters.dataFileSystem;
      options = [
        "nofail"
        "x-systemd.device-timeout=60s"
      ];
    };
  };
  systemd.services.k3s.unitConfig = lib.mkIf (parameters.dataDevice != "") {
    RequiresMountsFor = "/var/lib/rancher";
  };
}

# Each template as somebody would use it: what `nix flake check` and check-against-nixpkgs.sh evaluate. Parameters that are not given have the
# default of the template's declaration, as the server fills them in.
let
  use = template: given: {
    inherit template;
    parameters =
      let
        declared = (builtins.fromJSON (builtins.readFile (./. + "/${template}.json"))).parameters;
        defaults = builtins.concatMap (
          { name, ... }@parameter:
          if parameter ? defaultValue then
            [
              {
                inherit name;
                value = parameter.defaultValue;
              }
            ]
          else
            [ ]
        ) declared;
      in
      builtins.listToAttrs defaults // given;
  };
in
{
  base-server = use "base-server" { };
  base-server-full = use "base-server" {
    adminKeys = [
      "ann ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAnn ann@desk"
      "ann ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAnnToo"
      "bob ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBob"
    ];
    rootLogin = false;
    sshPort = 2222;
    timeZone = "Europe/Vienna";
    ntpServers = [ "ntp.example.com" ];
    allowedTcpPorts = [
      "443"
      "8000-8010"
    ];
    allowedUdpPorts = [ "60000-61000" ];
    journalToConsole = true;
    extraPackages = [ "htop" ];
  };
  kubernetes-server = use "kubernetes-node" {
    role = "server";
    clusterInit = true;
    disabledComponents = [ "traefik" ];
    nodeLabels = [ "rack=r7" ];
    nodeTaints = [ "gpu=true:NoSchedule" ];
    dataDevice = "/dev/disk/by-label/k3s";
  };
  kubernetes-agent = use "kubernetes-node" {
    role = "agent";
    serverUrl = "https://10.0.0.10:6443";
  };
  container-host = use "container-host" { registryMirror = "https://mirror.example.com"; };
  container-host-docker = use "container-host" {
    runtime = "docker";
    dockerUsers = [ "ann" ];
    registryMirror = "http://mirror.example.com:5000";
    dataDevice = "/dev/disk/by-label/containers";
    dataFileSystem = "xfs";
  };
  zfs-storage = use "zfs-storage" {
    pools = [ "tank" ];
    snapshots = true;
    nfs = true;
  };
  gpu-node-nvidia = use "gpu-node" { vendor = "nvidia"; };
  gpu-node-amd = use "gpu-node" {
    vendor = "amd";
    iommuPassThrough = true;
    hugePages = 1024;
  };
}

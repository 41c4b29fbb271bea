# The whole loop in NixOS VMs: the control plane comes up, edge and builder join, a diskless machine boots over the network into the
# registration image and enrols.
#
# NOT RUN YET: it needs KVM, nixpkgs with Node 26 and a binary cache, and was written where none of them was at hand. Whoever runs it first:
# `nix build -L path:./nixos#checks.x86_64-linux.whole-loop`, and tell what had to be changed.
#
# The builder's part is the Nix build of the registration image, offline: the closure of its derivation is in the VM's store, and nixpkgs is
# given as a path. When the derivation in the VM differs (the version label of NixOS holds the date of the nixpkgs source), it is built anew
# from that closure, which takes minutes.
{ pkgs, nixosModules }:

let
  images = import ../machine-image.nix {
    evalConfig = import (pkgs.path + "/nixos/lib/eval-config.nix");
  };
  registration = images.registrationImage { system = pkgs.stdenv.hostPlatform.system; };
  controlAddress = "192.168.1.1";
  machineMac = "52:54:00:12:01:42";
in
pkgs.testers.runNixOSTest {
  name = "muster-whole-loop";
  nodes.control =
    { lib, ... }:
    {
      imports = [ nixosModules.muster ];
      services.muster = {
        enable = true;
        openFirewall = true;
        builder.settings = {
          NIX_NIXPKGS = "path:${pkgs.path}";
          NIX_SUBSTITUTERS = "";
          BOOT_TEST_FIRMWARES = "bios";
          BOOT_TEST_TIME_LIMIT_SECONDS = 1800;
        };
      };
      networking.firewall.allowedUDPPorts = [ 67 ];
      services.dnsmasq = {
        enable = true;
        settings = {
          interface = "eth1";
          port = 0;
          dhcp-range = "192.168.1.100,192.168.1.200,1h";
          dhcp-match = "set:ipxe,175";
          dhcp-boot = [
            "tag:ipxe,http://${controlAddress}:8081/boot.ipxe"
            "tag:!ipxe,undionly.kpxe,,${controlAddress}"
          ];
        };
      };
      virtualisation = {
        memorySize = 6144;
        diskSize = 32768;
        cores = 4;
        writableStore = true;
        # Boot tests inside this machine: nested virtualisation where the host allows it, else emulation.
        qemu.options = [ "-cpu max" ];
      };
      # Everything that is needed to build the image without a network.
      system.extraDependencies = [
        registration.image
        (pkgs.writeText "registration-derivation" registration.image.drvPath)
      ];
      nix.settings.substituters = lib.mkForce [ ];
    };

  testScript = ''
    control.start()
    for unit in ["postgresql", "muster-nats", "muster-server", "muster-edge", "muster-builder", "dnsmasq"]:
        control.wait_for_unit(f"{unit}.service")
    control.wait_until_succeeds("curl --fail http://127.0.0.1:8080/readyz")
    control.wait_until_succeeds("curl --fail http://127.0.0.1:8081/readyz")

    muster = "MUSTER_TOKEN=$(cat /var/lib/muster/server/local-token) muster --json"
    print(control.succeed(f"{muster} services list"))

    with subtest("the builder makes the registration image and boots it"):
        control.wait_until_succeeds(f"{muster} images list | grep -i registration", timeout=7200)

    with subtest("a diskless machine boots it and enrols"):
        machine = create_machine(
            "${pkgs.qemu}/bin/qemu-system-x86_64 -enable-kvm -cpu max -m 4096 -smp 2 -boot n "
            "-netdev vde,id=net0,sock=$QEMU_VDE_SOCKET_1 "
            "-device virtio-net-pci,netdev=net0,mac=${machineMac}"
        )
        machine.start()
        control.wait_until_succeeds(f"{muster} machines list | grep -i '${machineMac}'", timeout=900)
        control.wait_until_succeeds(f"{muster} machines list | grep STATE_ENROLLED", timeout=900)
        machine.crash()
  '';
}

# What Muster knows about the machine, as data for NixOS modules: `config.muster.facts`.
{ lib, ... }:

let
  inherit (lib) mkOption types;

  text =
    description:
    mkOption {
      type = types.str;
      default = "";
      inherit description;
    };

  texts =
    description:
    mkOption {
      type = types.listOf types.str;
      default = [ ];
      inherit description;
    };

  number =
    description:
    mkOption {
      type = types.ints.unsigned;
      default = 0;
      inherit description;
    };
in
{
  options.muster.facts = mkOption {
    readOnly = true;
    description = ''
      Facts about the machine that this image is built for, from its inventory. Muster sets them; a module only reads them. An empty
      string or 0 means that the fact is not known.
    '';
    type = types.submodule {
      options = {
        machineId = text "The machine's id in Muster.";
        hostName = text "The host name that an operator gave the machine.";
        serviceTag = text "Serial number or service tag of the system.";
        uuid = text "UUID of the system (SMBIOS).";
        manufacturer = text "Manufacturer of the system.";
        product = text "Product name of the system.";
        macAddresses = texts "Permanent MAC addresses of the machine.";
        cpuThreads = number "Threads of all processors.";
        memoryBytes = number "Bytes of memory.";
        firmwareMode = text "How the firmware boots: bios or uefi.";
        sshAuthorizedKeys = texts "Lines of authorized_keys for root.";
      };
    };
  };
}

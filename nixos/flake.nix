{
  description = "Muster on NixOS: images of machines, the agent, and the control plane";

  # No lock file here: the builder pins nixpkgs for every build (NIX_NIXPKGS), and who uses this flake pins it in their own.
  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-26.05";

  outputs =
    { self, nixpkgs }:
    let
      inherit (nixpkgs) lib;
      systems = [
        "x86_64-linux"
        "aarch64-linux"
      ];
      forEachSystem =
        make: lib.genAttrs systems (system: make system nixpkgs.legacyPackages.${system});
      images = import ./machine-image.nix { evalConfig = nixpkgs.lib.nixosSystem; };
    in
    {
      lib = { inherit (images) machineImage registrationImage; };

      nixosModules = {
        agent = ./modules/agent.nix;
        muster = ./modules/muster.nix;
        machine = ./machine.nix;
        registration = ./registration.nix;
        default = ./modules/muster.nix;
      };

      nixosConfigurations = {
        registration = nixpkgs.lib.nixosSystem {
          system = "x86_64-linux";
          modules = [ ./registration.nix ];
        };
        registration-aarch64 = nixpkgs.lib.nixosSystem {
          system = "aarch64-linux";
          modules = [ ./registration.nix ];
        };
      };

      packages = forEachSystem (
        system: pkgs:
        let
          programs = import ./packages.nix { inherit pkgs; };
        in
        {
          inherit (programs)
            agent
            server
            builder
            edge
            cli
            ;
          default = programs.cli;
          registration = (images.registrationImage { inherit system; }).image;
        }
      );

      devShells = forEachSystem (
        _system: pkgs: {
          default = import ./dev-shell.nix { inherit pkgs; };
        }
      );

      checks = forEachSystem (
        system: pkgs:
        import ./checks.nix {
          inherit pkgs images system;
          inherit (self) nixosModules;
        }
      );
    };
}

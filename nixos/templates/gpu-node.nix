# A node for computing on graphics processors, without a display.
parameters:
{
  config,
  lib,
  options,
  pkgs,
  ...
}:

let
  isNvidia = parameters.vendor == "nvidia";
  # Names of NixOS 24.05 and newer; before, hardware.opengl.
  hasGraphics = options.hardware ? graphics;
  graphics =
    value: if hasGraphics then { hardware.graphics = value; } else { hardware.opengl = value; };
  hasContainerToolkit = options.hardware ? nvidia-container-toolkit;
  rocm = pkgs.rocmPackages or { };
in
lib.mkMerge [
  (graphics { enable = true; })
  {
    boot.kernelParams = lib.optionals parameters.iommuPassThrough [
      "iommu=pt"
      "${if pkgs.stdenv.hostPlatform.isx86 then "intel_iommu" else "iommu.passthrough"}=${
        if pkgs.stdenv.hostPlatform.isx86 then "on" else "1"
      }"
    ];
    boot.kernel.sysctl."vm.nr_hugepages" = lib.mkIf (parameters.hugePages > 0) parameters.hugePages;
  }

  (lib.mkIf isNvidia (
    lib.mkMerge [
      {
        assertions = [
          {
            assertion = parameters.containers -> hasContainerToolkit || !hasGraphics;
            message = "gpu-node: this NixOS has no hardware.nvidia-container-toolkit: set containers to false";
          }
        ];
        # The driver is not free; nothing else that is not becomes allowed.
        nixpkgs.config.allowUnfreePredicate =
          package: lib.hasPrefix "nvidia" (lib.getName package) || lib.hasPrefix "libnv" (lib.getName package);
        # The name is historical: it selects the driver, and no display server starts.
        services.xserver.videoDrivers = [ "nvidia" ];
        hardware.nvidia.modesetting.enable = true;
      }
      # Since NixOS 21.05; a branch that this nixpkgs does not have is an error that names it.
      (lib.optionalAttrs (options.hardware.nvidia ? package) {
        hardware.nvidia.package =
          config.boot.kernelPackages.nvidiaPackages.${parameters.nvidiaBranch}
            or (throw "gpu-node: this nixpkgs has no NVIDIA driver \"${parameters.nvidiaBranch}\" (parameter nvidiaBranch)");
      })
      (lib.optionalAttrs (options.hardware.nvidia ? open) {
        hardware.nvidia.open = parameters.nvidiaOpenModules;
      })
      (lib.optionalAttrs (options.hardware.nvidia ? nvidiaPersistenced) {
        # Keeps the processors initialised, so that jobs do not wait for seconds each.
        hardware.nvidia.nvidiaPersistenced = true;
      })
      (lib.optionalAttrs (options.hardware.nvidia ? nvidiaSettings) {
        hardware.nvidia.nvidiaSettings = false;
      })
      (lib.optionalAttrs hasContainerToolkit {
        hardware.nvidia-container-toolkit.enable = parameters.containers;
      })
    ]
  ))

  (lib.mkIf (!isNvidia) (
    lib.mkMerge [
      {
        boot.kernelModules = [ "amdgpu" ];
        services.xserver.videoDrivers = [ "amdgpu" ];
        environment.systemPackages = lib.optionals parameters.rocm (
          lib.filter (package: package != null) [
            (rocm.rocminfo or null)
            (rocm.rocm-smi or null)
          ]
        );
      }
      (graphics {
        extraPackages = lib.optionals (parameters.rocm && rocm ? clr) [ (rocm.clr.icd or rocm.clr) ];
      })
      {
        # Programs made for other systems look for ROCm there.
        systemd.tmpfiles.rules = lib.optional (
          parameters.rocm && rocm ? clr
        ) "L+ /opt/rocm/hip - - - - ${rocm.clr}";
      }
    ]
  ))
]

# What builders made for the machines of this site, from the edge that the machine booted from. Images hold no address: image.json names the
# key that signs, boot.json the edge, and the boot puts both together.
{
  config,
  lib,
  options,
  pkgs,
  ...
}:

let
  hasNix = if options.nix ? enable then config.nix.enable else true;
  # One setting a line. Whatever is no plain address or key is left out: with a line break in it, it would be another setting.
  settings = pkgs.writeText "nix-cache.jq" ''
    (($boot[0].edge_url | strings) // "") as $url
    | (($image[0].nix_cache.public_key | strings) // "") as $key
    | if ($url | test("\\Ahttps?://[0-9A-Za-z._:\\[\\]/-]+\\z"))
        and ($key | test("\\A[0-9A-Za-z._-]+:[0-9A-Za-z+/]{43}=\\z"))
      then "extra-substituters = \($url)/nix-cache", "extra-trusted-public-keys = \($key)"
      else empty
      end
  '';
in
{
  config = lib.mkIf hasNix {
    # May be missing.
    nix.extraOptions = "!include /run/muster/nix.conf";

    systemd.services.muster-nix-cache = {
      description = "Muster's edge as a binary cache of Nix";
      wantedBy = [ "multi-user.target" ];
      before = [ "nix-daemon.service" ];
      serviceConfig = {
        Type = "oneshot";
        RemainAfterExit = true;
      };
      script = ''
        ${pkgs.jq}/bin/jq --null-input --raw-output --from-file ${settings} \
          --slurpfile boot /run/muster/boot.json --slurpfile image /run/muster/image.json >/run/muster/nix.conf.new
        chmod 444 /run/muster/nix.conf.new
        mv /run/muster/nix.conf.new /run/muster/nix.conf
      '';
    };
  };
}

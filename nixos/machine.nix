# The system of one machine, before its templates and its operator's module: agent, SSH keys and host name, all from the facts.
{
  config,
  lib,
  options,
  ...
}:

let
  inherit (lib) mkDefault;
  inherit (config.muster) facts;
  labels = lib.filter (label: label != "") (lib.splitString "." facts.hostName);
  noPasswords = {
    PasswordAuthentication = mkDefault false;
    KbdInteractiveAuthentication = mkDefault false;
    PermitRootLogin = mkDefault "prohibit-password";
  };
in
{
  imports = [
    ./modules/image.nix
    ./modules/nix-cache.nix
  ];

  config = lib.mkMerge [
    {
      # NixOS takes a single label as host name; what follows it is the domain.
      networking.hostName = mkDefault (if labels == [ ] then "" else lib.head labels);
      networking.domain = lib.mkIf (lib.length labels > 1) (
        mkDefault (lib.concatStringsSep "." (lib.tail labels))
      );

      # No account has a password: people come by SSH key. Host keys are made at each boot, for no image holds a private key.
      users.users.root.openssh.authorizedKeys.keys = facts.sshAuthorizedKeys;
      services.openssh.enable = mkDefault (facts.sshAuthorizedKeys != [ ]);
    }
    (
      if options.services.openssh ? settings then
        { services.openssh.settings = noPasswords; }
      else
        {
          services.openssh = {
            passwordAuthentication = mkDefault false;
            challengeResponseAuthentication = mkDefault false;
            permitRootLogin = mkDefault "prohibit-password";
          };
        }
    )
  ];
}

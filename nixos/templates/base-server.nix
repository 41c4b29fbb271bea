# A server in the usual sense: people, SSH, time, firewall, journal. Checked parameters come from base-server.json.
parameters:
{
  config,
  lib,
  options,
  pkgs,
  ...
}:

let
  # "NAME KEY": one line for each key of each person.
  keyLines = map (
    line:
    let
      words = lib.splitString " " line;
    in
    {
      name = lib.head words;
      key = lib.concatStringsSep " " (lib.tail words);
    }
  ) parameters.adminKeys;
  admins = lib.unique (map ({ name, ... }: name) keyLines);
  keysOf = admin: map ({ key, ... }: key) (lib.filter ({ name, ... }: name == admin) keyLines);

  # "PORT" or "FIRST-LAST".
  portsOf = items: map lib.toInt (lib.filter (item: !lib.hasInfix "-" item) items);
  rangesOf =
    items:
    map (
      item:
      let
        ends = map lib.toInt (lib.splitString "-" item);
      in
      {
        from = lib.head ends;
        to = lib.last ends;
      }
    ) (lib.filter (lib.hasInfix "-") items);

  packageOf =
    name:
    lib.attrByPath (lib.splitString "." name) (throw "base-server: nixpkgs has no package \"${name}\" (parameter extraPackages)") pkgs;

  hasSshSettings = options.services.openssh ? settings;
  rootLogin = if parameters.rootLogin then "prohibit-password" else "no";
in
{
  assertions = [
    {
      assertion = parameters.rootLogin || admins != [ ];
      message = "base-server: without rootLogin and without adminKeys nobody could log in";
    }
  ];

  users.users = lib.listToAttrs (
    map (admin: {
      name = admin;
      value = {
        isNormalUser = true;
        extraGroups = [
          "wheel"
          "systemd-journal"
        ];
        openssh.authorizedKeys.keys = keysOf admin;
      };
    }) admins
  );
  # No account has a password, so sudo cannot ask for one.
  security.sudo.wheelNeedsPassword = false;

  services.openssh = {
    enable = true;
    ports = [ parameters.sshPort ];
  }
  // (
    if hasSshSettings then
      {
        settings = {
          PermitRootLogin = rootLogin;
          PasswordAuthentication = false;
          KbdInteractiveAuthentication = false;
          X11Forwarding = false;
        };
      }
    else
      {
        permitRootLogin = rootLogin;
        passwordAuthentication = false;
        challengeResponseAuthentication = false;
      }
  );

  time.timeZone = parameters.timeZone;
  services.timesyncd.enable = lib.mkDefault true;
  networking.timeServers = lib.mkIf (parameters.ntpServers != [ ]) parameters.ntpServers;

  networking.firewall = {
    enable = true;
    allowedTCPPorts = portsOf parameters.allowedTcpPorts;
    allowedTCPPortRanges = rangesOf parameters.allowedTcpPorts;
    allowedUDPPorts = portsOf parameters.allowedUdpPorts;
    allowedUDPPortRanges = rangesOf parameters.allowedUdpPorts;
    logRefusedConnections = lib.mkDefault false;
  };

  # The root file system is memory: the journal must not fill it, and nothing of it outlives a boot.
  services.journald.extraConfig = ''
    Storage=volatile
    RuntimeMaxUse=${toString parameters.journalMegabytesMax}M
    ${lib.optionalString (parameters.journalToConsole) ''
      ForwardToConsole=yes
      MaxLevelConsole=warning
    ''}
  '';

  environment.systemPackages = map packageOf parameters.extraPackages;
}

# An edge and a builder on the server's own host join it by themselves, as under `npm run up`. On other hosts they need a code of
# `muster service add`, in secretFiles.JOIN_CODE.
{
  config,
  lib,
  pkgs,
  ...
}:

let
  cfg = config.services.muster;
  codeFolder = "/run/muster-join";

  joins =
    process:
    cfg.server.enable && cfg.${process}.enable && !(cfg.${process}.secretFiles ? JOIN_CODE);

  join = process: {
    systemd.services = {
      "muster-join-${process}" = {
        description = "Join code for the ${process} of this host";
        requires = [ "muster-server.service" ];
        after = [ "muster-server.service" ];
        path = [
          cfg.cliPackage
          pkgs.jq
          pkgs.curl
        ];
        environment.SERVER_URL = "http://127.0.0.1:${toString cfg.server.port}";
        serviceConfig = {
          Type = "oneshot";
          RuntimeDirectory = "muster-join";
          RuntimeDirectoryMode = "0755";
          RuntimeDirectoryPreserve = true;
          UMask = "0077";
        };
        script = ''
          code=${codeFolder}/${process}
          : >"$code"
          ${lib.optionalString (process == "edge") ''chown muster "$code"''}
          # It has joined: the id that the server gave it is there.
          [ ! -s /var/lib/muster/${process}/service-id ] || exit 0

          attemptsMax=60
          attempt=0
          until curl --silent --fail --output /dev/null "$SERVER_URL/readyz"; do
            attempt=$((attempt + 1))
            [ "$attempt" -lt "$attemptsMax" ] || { echo "The server is not ready after $attemptsMax s" >&2; exit 1; }
            sleep 1
          done
          MUSTER_TOKEN=$(cat /var/lib/muster/server/local-token)
          export MUSTER_TOKEN
          # Names are unique: a host whose state was deleted gets a new one.
          name=$(tr -cs 'a-zA-Z0-9\n' - </proc/sys/kernel/hostname | tr A-Z a-z | cut -c 1-40)
          muster --json service add ${process} "$name-$(date +%s)" | jq -r .code >"$code"
        '';
      };
      "muster-${process}" = {
        requires = [ "muster-join-${process}.service" ];
        after = [ "muster-join-${process}.service" ];
        environment.JOIN_CODE_FILE = "${codeFolder}/${process}";
      };
    };
  };
in
{
  config = lib.mkMerge [
    (lib.mkIf (joins "edge") { systemd = (join "edge").systemd; })
    (lib.mkIf (joins "builder") { systemd = (join "builder").systemd; })
  ];
}

import {
  BootService,
  BootSession_State as SessionState,
} from '@muster/proto/gen/muster/v1/boot_pb.ts';
import {useQuery} from '@connectrpc/connect-query';

const againMs = 2_000;

/** Hops come without events, only the beginning and the end of a boot are told: while it is open it is asked for again. */
export const useNewestBoot = (machineId: string) =>
  useQuery(
    BootService.method.listBootSessions,
    {machineId, pageSize: 1},
    {
      refetchInterval: ({state}) =>
        state.data?.bootSessions[0]?.state === SessionState.OPEN ? againMs : false,
    },
  );

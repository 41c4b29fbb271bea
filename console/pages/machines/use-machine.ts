import {type Machine, MachineService} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {useQuery} from '@connectrpc/connect-query';
import {useParams} from '@tanstack/react-router';

/** Presence changes without an event. */
export const machineOptions = {refetchInterval: 10_000} as const;

/** The machine of the address. MachinePage renders tabs only when it is there. */
export function useMachine(): Machine {
  const {id} = useParams({from: '/shell/machines/$id'});
  const {data} = useQuery(MachineService.method.getMachine, {id}, machineOptions);
  if (!data?.machine) throw new Error('Cannot show this part: the machine is not loaded');
  return data.machine;
}

import {
  GetMachineResponseSchema,
  type Machine,
  MachineService,
} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {create} from '@bufbuild/protobuf';
import {createConnectQueryKey, useMutation, useTransport} from '@connectrpc/connect-query';
import {useQueryClient} from '@tanstack/react-query';

/** Puts a machine that the server answered into the cache: pages show it before its event comes. */
export function useMachineKeeper(): (machine: Machine | undefined) => void {
  const queryClient = useQueryClient();
  const transport = useTransport();
  return machine => {
    if (!machine) return;
    queryClient.setQueryData(
      createConnectQueryKey({
        schema: MachineService.method.getMachine,
        input: {id: machine.id},
        transport,
        cardinality: 'finite',
      }),
      create(GetMachineResponseSchema, {machine}),
    );
  };
}

export function useUpdateMachine() {
  const keep = useMachineKeeper();
  return useMutation(MachineService.method.updateMachine, {
    onSuccess: ({machine}) => keep(machine),
  });
}

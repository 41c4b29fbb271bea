import {type Group, GroupService} from '@muster/proto/gen/muster/v1/groups_pb.ts';
import {type Machine, MachineService} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {useCallback} from 'react';
import {useAction} from '../../api/use-action.ts';
import {showFailure, showToast} from '../../ui/Toast.tsx';
import {machineName} from '../machines/machine-name.ts';

/** Puts machines into a group and takes them out; each can be taken back. */
export function useMembership({id: groupId, name}: Pick<Group, 'id' | 'name'>) {
  const alsoStale = {also: [MachineService]};
  const {mutate: put} = useAction(GroupService.method.addGroupMachine, alsoStale);
  const {mutate: take} = useAction(GroupService.method.removeGroupMachine, alsoStale);
  const onError = useCallback(
    (error: unknown) => showFailure(error, `change group ${name}`),
    [name],
  );
  const add = useCallback(
    (machine: Machine) => {
      const request = {groupId, machineId: machine.id};
      put(request, {
        onError,
        onSuccess: () =>
          showToast(`${machineName(machine)} is in ${name}`, {
            undo: () => take(request, {onError}),
          }),
      });
    },
    [groupId, name, put, take, onError],
  );
  const remove = useCallback(
    (machine: Machine) => {
      const request = {groupId, machineId: machine.id};
      take(request, {
        onError,
        onSuccess: () =>
          showToast(`${machineName(machine)} is out of ${name}`, {
            undo: () => put(request, {onError}),
          }),
      });
    },
    [groupId, name, put, take, onError],
  );
  return {add, remove};
}

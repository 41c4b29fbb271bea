import type {Machine} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {MachineService} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {type Workspace, WorkspaceService} from '@muster/proto/gen/muster/v1/workspaces_pb.ts';
import {ConnectError, createClient} from '@connectrpc/connect';
import {useTransport} from '@connectrpc/connect-query';
import {useQueryClient} from '@tanstack/react-query';
import {useState} from 'react';
import {reloadAnswers} from '../../api/stale.ts';
import {announce} from '../../ui/LiveRegion.tsx';
import {plural} from '../../ui/format.ts';
import {machineName} from '../machines/machine-name.ts';

/** What became of one machine: `reason` is the server's when it was refused. */
export type Move = {readonly id: string; readonly name: string; readonly reason?: string};

/** Assigns or releases machines one after another (the quota is counted in that order), and keeps what became of each. */
export function useMoves(workspace: Workspace, kind: 'assign' | 'release') {
  const transport = useTransport();
  const queryClient = useQueryClient();
  const [moves, setMoves] = useState<readonly Move[]>();
  const [isBusy, setBusy] = useState(false);

  const run = async (machines: readonly Machine[]) => {
    const client = createClient(WorkspaceService, transport);
    const done: Move[] = [];
    setBusy(true);
    for (const machine of machines) {
      const request = {workspaceId: workspace.id, machineId: machine.id};
      const move = {id: machine.id, name: machineName(machine)};
      try {
        if (kind === 'assign') await client.assignMachine(request);
        else await client.releaseMachine(request);
        done.push(move);
      } catch (error) {
        done.push({...move, reason: ConnectError.from(error).rawMessage});
      }
      setMoves([...done]);
    }
    setBusy(false);
    const refused = done.filter(({reason}) => reason !== undefined).length;
    announce(`${plural(done.length - refused, 'machine')} done, ${refused} refused`);
    await reloadAnswers(queryClient, [WorkspaceService, MachineService]);
  };
  return {moves, isBusy, run};
}

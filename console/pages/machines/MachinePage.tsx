import {MachineService} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {Code} from '@connectrpc/connect';
import {useQuery} from '@connectrpc/connect-query';
import {Outlet, useParams} from '@tanstack/react-router';
import {isCode} from '../../api/errors.ts';
import {PresenceMark, StateBadge} from '../../ui/Badge.tsx';
import {PageHeader} from '../../ui/blocks.tsx';
import {AwaitedPage, MissingPage} from '../../ui/page-states.tsx';
import {Tabs} from '../../ui/Tabs.tsx';
import {machineName} from './machine-name.ts';
import {LifeCycleStrip} from './LifeCycleStrip.tsx';
import {BackToMachines, MachineActions} from './MachineActions.tsx';
import {machineTabs} from './machine-tabs.ts';
import {machineOptions} from './use-machine.ts';
import './machines.css';

export function MachinePage() {
  const {id} = useParams({from: '/shell/machines/$id'});
  const {data, error, refetch} = useQuery(MachineService.method.getMachine, {id}, machineOptions);
  const machine = data?.machine;
  if (isCode(error, Code.NotFound))
    return (
      <MissingPage title={`No machine is called “${id}”`}>
        <p>It may have been deleted, or merged with another one.</p>
        <BackToMachines />
      </MissingPage>
    );
  if (!machine)
    return (
      <AwaitedPage
        title="Machine"
        error={error}
        attempt="load the machine"
        onRetry={() => void refetch()}
      />
    );
  return (
    <div className="page">
      <PageHeader
        title={machineName(machine)}
        beside={
          <>
            <StateBadge value={machine.state} />
            <PresenceMark value={machine.presence} />
          </>
        }
        actions={<MachineActions machine={machine} />}
      />
      <LifeCycleStrip machine={machine} />
      <Tabs label="Machine" tabs={machineTabs(id)} />
      <Outlet />
    </div>
  );
}

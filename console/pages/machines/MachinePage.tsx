import {MachineService} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {Code} from '@connectrpc/connect';
import {useQuery} from '@connectrpc/connect-query';
import {Outlet, useParams} from '@tanstack/react-router';
import {isCode} from '../../api/errors.ts';
import {PresenceMark, StateBadge} from '../../ui/Badge.tsx';
import {PageHeader, Skeleton} from '../../ui/blocks.tsx';
import {EmptyState, ErrorState} from '../../ui/states.tsx';
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
      <EmptyState icon="question" title={`No machine is called “${id}”`}>
        <p>It may have been deleted, or merged with another one.</p>
        <BackToMachines />
      </EmptyState>
    );
  if (error && !machine)
    return <ErrorState error={error} attempt="load the machine" onRetry={() => void refetch()} />;
  if (!machine) return <Skeleton lines={8} />;
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

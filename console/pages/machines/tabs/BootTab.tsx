import {BootService, type ListBootSessionsResponse} from '@muster/proto/gen/muster/v1/boot_pb.ts';
import {useMemo} from 'react';
import {MoreRows} from '../../../table/MoreRows.tsx';
import {useKeysetRows} from '../../../table/use-keyset-rows.ts';
import {Card, Skeleton} from '../../../ui/blocks.tsx';
import {EmptyState, ErrorState} from '../../../ui/states.tsx';
import {BootDecisionCard} from '../BootDecisionCard.tsx';
import {BootTimeline} from '../BootTimeline.tsx';
import {useMachine} from '../use-machine.ts';
import {useNewestBoot} from '../use-newest-boot.ts';

const pageRows = 10;
const sessionsOf = (page: ListBootSessionsResponse) => page.bootSessions;

export function BootTab() {
  const machine = useMachine();
  const input = useMemo(() => ({machineId: machine.id, pageSize: pageRows}), [machine.id]);
  const list = useKeysetRows(BootService.method.listBootSessions, input, sessionsOf);
  // The newest one moves while it is open.
  const {data: newest} = useNewestBoot(machine.id);
  const fresh = newest?.bootSessions[0];
  const sessions = list.rows.map(session => (session.id === fresh?.id ? fresh : session));
  return (
    <div className="machine-columns">
      <Card title="Boots" flush>
        <ErrorState error={list.error} attempt="load its boots" onRetry={list.refresh} />
        {list.isLoading && <Skeleton lines={8} />}
        {!list.isLoading && !list.error && sessions.length === 0 && (
          <EmptyState icon="boot" title="It has not been seen to boot">
            <p>Let it boot from the network of an edge: each step appears here as it happens.</p>
          </EmptyState>
        )}
        {sessions.map(session => (
          <BootTimeline key={session.id} session={session} />
        ))}
        <MoreRows list={list}>Older ones</MoreRows>
      </Card>
      <BootDecisionCard machine={machine} />
    </div>
  );
}

import {
  BootService,
  type BootSession,
  BootSession_State as State,
} from '@muster/proto/gen/muster/v1/boot_pb.ts';
import {useQuery} from '@connectrpc/connect-query';
import {Link} from '@tanstack/react-router';
import {useNow} from '../../hooks/use-now.ts';
import {Card} from '../../ui/blocks.tsx';
import {dateOf, formatCounted} from '../../ui/format.ts';
import {Icon} from '../../ui/icons.tsx';
import {RelativeTime} from '../../ui/RelativeTime.tsx';
import {sessionLook} from '../boot/boot-words.ts';
import {useMachineName} from '../machines/use-machine-name.ts';

const shownMax = 8;
/** Steps come without an event. */
const againMs = 3_000;
/** How long a boot that is over stays on the list. */
const lingerMs = 60_000;
/** A boot that ended within that time began within this one. */
const begun = '30m';

/** Machines between their first boot request and the hello of their agent, as it happens. */
export function BootsInProgress() {
  const {data} = useQuery(
    BootService.method.listBootSessions,
    {states: [State.OPEN], pageSize: shownMax, countTotal: true},
    {refetchInterval: ({state}) => (state.data?.totalSize ? againMs : false)},
  );
  const ended = useJustEnded();
  const open = data?.bootSessions ?? [];
  const count = data?.totalSize ?? 0;
  const boots = [...open, ...ended.filter(({id}) => !open.some(other => other.id === id))];
  return (
    <Card
      title="Boots in progress"
      actions={
        <Link to="/boot" search={{state: 'open'}}>
          {count > 0 ? `${formatCounted(count)} now` : 'Boot'}
        </Link>
      }
      flush
    >
      {data && boots.length === 0 && <p className="rows-none">No machine is booting.</p>}
      <ul className="rows" aria-live="off">
        {boots.slice(0, shownMax).map(session => (
          <BootLine key={session.id} session={session} />
        ))}
      </ul>
    </Card>
  );
}

function useJustEnded(): readonly BootSession[] {
  const now = useNow();
  const {data} = useQuery(BootService.method.listBootSessions, {
    states: [State.STALLED, State.COMPLETED],
    since: begun,
    pageSize: shownMax,
  });
  return (data?.bootSessions ?? []).filter(
    ({endTime}) => now.getTime() - (dateOf(endTime)?.getTime() ?? 0) < lingerMs,
  );
}

const endings: Readonly<Record<number, string>> = {
  [State.OPEN]: 'boots',
  [State.STALLED]: 'stopped on its way',
  [State.COMPLETED]: 'has said hello',
};

function BootLine({session}: {readonly session: BootSession}) {
  const {machineId, client, state, startTime, endTime} = session;
  const {icon, tone} = sessionLook(state);
  const name = useMachineName(machineId);
  const what = (
    <>
      {name || client?.macAddresses[0] || 'Unknown machine'}
      <span className="muted"> · {endings[state]}</span>
    </>
  );
  return (
    <li className={`tone-${tone}`}>
      <Icon name={icon} />
      {machineId === '' ? (
        <Link to="/boot" search={{explain: client?.macAddresses[0] ?? ''}} className="grow">
          {what}
        </Link>
      ) : (
        <Link to="/machines/$id/boot" params={{id: machineId}} className="grow">
          {what}
        </Link>
      )}
      <span className="muted">
        <RelativeTime time={endTime ?? startTime} />
      </span>
    </li>
  );
}

import {BootService, BootSession_State as State} from '@muster/proto/gen/muster/v1/boot_pb.ts';
import {useQuery} from '@connectrpc/connect-query';
import {Link} from '@tanstack/react-router';
import {Badge} from '../../ui/Badge.tsx';
import {Card, Skeleton} from '../../ui/blocks.tsx';
import {formatCount, plural} from '../../ui/format.ts';
import {RelativeTime} from '../../ui/RelativeTime.tsx';
import {EmptyState, ErrorState} from '../../ui/states.tsx';
import {MachineLink} from '../machines/MachineLink.tsx';
import type {JournalBoot} from './boot-journal.ts';
import {sessionLook} from './boot-words.ts';
import {BootSessionRow} from './BootSessionRow.tsx';
import {type BootJournalState, lookBackEvents} from './use-boot-journal.ts';

/** Steps of a boot have no events: of those that are shown they are asked for. */
const everyMs = 3_000;
const shownMax = 30;
const sessionsOfMachine = 3;

export function BootsInProgress({state}: {readonly state: BootJournalState}) {
  const {journal, isLoading, error} = state;
  const boots = [...journal.boots.values()].toReversed();
  // What stands still needs somebody; what moves does not.
  const sorted = [
    ...boots.filter(boot => boot.state === 'stalled'),
    ...boots.filter(boot => boot.state === 'open'),
  ];
  const stalled = sorted.filter(boot => boot.state === 'stalled').length;
  return (
    <Card
      flush
      title="Boots in progress"
      actions={
        <span className="muted" aria-live="polite">
          {plural(boots.length - stalled, 'boot')} under way, {formatCount(stalled)} stalled
        </span>
      }
    >
      {error !== undefined && <ErrorState error={error} attempt="follow the boots" />}
      {isLoading ? (
        <div className="boot-loading">
          <Skeleton lines={3} />
        </div>
      ) : (
        sorted.length === 0 && (
          <EmptyState icon="boot" title="No machine is booting now">
            <p>
              A boot appears here with its first request. Looked at were the newest{' '}
              {formatCount(lookBackEvents)} events; <code>muster boot timeline MACHINE</code> shows
              older ones.
            </p>
          </EmptyState>
        )
      )}
      <ul>
        {sorted
          .slice(0, shownMax)
          .map(boot =>
            boot.machineId === '' ? (
              <StrangerRow key={boot.id} boot={boot} />
            ) : (
              <MachineBoot key={boot.id} boot={boot} />
            ),
          )}
      </ul>
      {sorted.length > shownMax && (
        <p className="boot-more muted">
          {plural(sorted.length - shownMax, 'more boot', 'more boots')} are not shown; those that
          stall come first.
        </p>
      )}
    </Card>
  );
}

function MachineBoot({boot}: {readonly boot: JournalBoot}) {
  const {data} = useQuery(
    BootService.method.listBootSessions,
    {machineId: boot.machineId, pageSize: sessionsOfMachine},
    {refetchInterval: boot.state === 'open' ? everyMs : false},
  );
  const session = data?.bootSessions.find(({id}) => id === boot.id);
  if (!session) return <StrangerRow boot={boot} />;
  return <BootSessionRow session={session} who={<MachineLink id={boot.machineId} />} />;
}

/** Of a box that nobody knows, the journal says no more than this. */
function StrangerRow({boot}: {readonly boot: JournalBoot}) {
  const state = boot.state === 'open' ? State.OPEN : State.STALLED;
  return (
    <li className="boot-row">
      <div className="boot-row-head stranger">
        <Badge look={sessionLook(state)} />
        {boot.machineId === '' ? (
          <span className="mono">{boot.macAddress || 'unknown MAC'}</span>
        ) : (
          <MachineLink id={boot.machineId} />
        )}
        <span className="muted">
          began <RelativeTime time={boot.time} />
        </span>
        {boot.machineId === '' && boot.macAddress !== '' && (
          <Link to="/boot" search={{explain: boot.macAddress}}>
            What it gets, and why
          </Link>
        )}
      </div>
    </li>
  );
}

import {
  BootService,
  type BootSession,
  BootSession_State as State,
  type ListBootSessionsResponse,
} from '@muster/proto/gen/muster/v1/boot_pb.ts';
import {Link, useNavigate, useSearch} from '@tanstack/react-router';
import {useReloadEvery} from '../../api/use-reload.ts';
import {MoreRows} from '../../table/MoreRows.tsx';
import {pagesReloadedMax, useKeysetRows} from '../../table/use-keyset-rows.ts';
import {Card, Skeleton} from '../../ui/blocks.tsx';
import {Choices} from '../../ui/Choices.tsx';
import {formatCounted} from '../../ui/format.ts';
import {sinceOf, SinceChoice} from '../../ui/SinceChoice.tsx';
import {EmptyState, ErrorState} from '../../ui/states.tsx';
import {ImageChip} from '../images/ImageChip.tsx';
import {MachineChip} from '../machines/MachineChip.tsx';
import {MachineLink} from '../machines/MachineLink.tsx';
import {bootChoiceOf, bootChoices} from './boot-choices.ts';
import {BootSessionRow} from './BootSessionRow.tsx';
import {useBootCount} from './use-boot-count.ts';

/** Steps of a boot have no events: while one of those shown is under way they are asked for. */
const everyMs = 3_000;
const pageSize = 25;
const sessionsOf = ({bootSessions}: ListBootSessionsResponse): readonly BootSession[] =>
  bootSessions;

/** Boots of all machines and of strangers, the newest first. */
export function BootSessions() {
  const {state, machine = '', image = '', since} = useSearch({from: '/shell/boot'});
  const {states, choice} = bootChoiceOf(state);
  const list = useKeysetRows(
    BootService.method.listBootSessions,
    {pageSize, states, machineId: machine, imageId: image, since: sinceOf(since)},
    sessionsOf,
  );
  useReloadEvery(
    [BootService.method.listBootSessions],
    everyMs,
    list.rows.some(({state}) => state === State.OPEN) &&
      list.rows.length <= pageSize * pagesReloadedMax,
  );
  return (
    <>
      <BootFilters />
      <ErrorState error={list.error} attempt="list the boots" onRetry={list.refresh} />
      <Card flush>
        {list.isLoading && (
          <div className="boot-loading">
            <Skeleton lines={6} />
          </div>
        )}
        {!list.isLoading && !list.error && list.rows.length === 0 && <NoBoots choice={choice} />}
        <ul aria-busy={list.isOld || undefined}>
          {list.rows.map(session => (
            <BootSessionRow key={session.id} session={session} who={<Who session={session} />} />
          ))}
        </ul>
        <MoreRows list={list}>Older boots</MoreRows>
      </Card>
    </>
  );
}

function BootFilters() {
  const search = useSearch({from: '/shell/boot'});
  const navigate = useNavigate({from: '/boot'});
  const {machine = '', image = ''} = search;
  const underWay = useBootCount([State.OPEN]);
  const stalled = useBootCount([State.STALLED], '24h');
  const change = (part: Partial<typeof search>) =>
    void navigate({search: old => ({...old, ...part}), resetScroll: false});
  return (
    <div className="toolbar">
      <Choices
        label="State"
        items={bootChoices.map(item => (item.value === 'open' ? {...item, count: underWay} : item))}
        value={bootChoiceOf(search.state).choice}
        onChange={value => change({state: value || undefined})}
      />
      <SinceChoice value={sinceOf(search.since)} onChange={since => change({since})} />
      <MachineChip id={machine} onRemove={() => change({machine: undefined})} />
      <ImageChip id={image} onRemove={() => change({image: undefined})} />
      {stalled !== undefined && stalled > 0 && (
        <Link to="/boot" search={{state: 'stalled', since: '24h'}} className="boot-stalled">
          {formatCounted(stalled)} stalled in the last 24 hours
        </Link>
      )}
    </div>
  );
}

/** A box that nobody knows is told by what it said about itself. */
function Who({session: {machineId, client}}: {readonly session: BootSession}) {
  if (machineId !== '') return <MachineLink id={machineId} />;
  const mac = client?.macAddresses[0] ?? '';
  return (
    <>
      <span className="mono">{mac || 'unknown MAC'}</span>
      {client?.serial && <span className="muted">serial {client.serial}</span>}
      {mac !== '' && (
        <Link to="/boot" search={{explain: mac}}>
          What it gets, and why
        </Link>
      )}
    </>
  );
}

function NoBoots({choice}: {readonly choice: string}) {
  if (choice === 'open')
    return (
      <EmptyState icon="boot" title="No machine is booting now">
        <p>A boot appears here with its first request.</p>
      </EmptyState>
    );
  return (
    <EmptyState icon="boot" title="No boot is like that">
      <p>
        Each boot from the network of an edge is listed, with every step. Recipes for the DHCP
        server of a network are in <code>deploy/dhcp</code>;{' '}
        <code>muster boot sessions --since 24h</code> lists the same.
      </p>
    </EmptyState>
  );
}

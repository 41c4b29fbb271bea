import {
  DiscoveryService,
  type ListPendingMachinesResponse,
  type PendingMachine,
} from '@muster/proto/gen/muster/v1/discovery_pb.ts';
import {MachineService} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {skipToken, useQuery} from '@connectrpc/connect-query';
import {useNavigate, useSearch} from '@tanstack/react-router';
import type {ReactNode} from 'react';
import {type KeysetRows, useKeysetRows} from '../../table/use-keyset-rows.ts';
import {Badge, StateBadge} from '../../ui/Badge.tsx';
import {Skeleton} from '../../ui/blocks.tsx';
import {Button, ButtonLink} from '../../ui/Button.tsx';
import {plural} from '../../ui/format.ts';
import {RelativeTime} from '../../ui/RelativeTime.tsx';
import {SearchTabs} from '../../ui/SearchTabs.tsx';
import {BackLink, DetailHeader, Item, ItemList, SplitPage} from '../../ui/SplitPage.tsx';
import {EmptyState, ErrorState} from '../../ui/states.tsx';
import {PageHeader} from '../../ui/blocks.tsx';
import {machineName} from '../machines/machine-name.ts';
import {BansPanel} from './BansPanel.tsx';
import {ApplyButton, PendingDetail} from './PendingDetail.tsx';
import './pending.css';

const all = {countTotal: true} as const;
const rowsOf = (page: ListPendingMachinesResponse) => page.machines;
type Rows = KeysetRows<PendingMachine, ListPendingMachinesResponse>;

/** The queue: which box is this? */
export function PendingPage() {
  const {tab} = useSearch({from: '/shell/pending'});
  const list = useKeysetRows(DiscoveryService.method.listPendingMachines, all, rowsOf);
  const tabs = (
    <SearchTabs
      label="Pending"
      tabs={[
        {
          label: 'Waiting',
          link: {to: '/pending'},
          isCurrent: tab !== 'bans',
          count: Number(list.first?.totalSize ?? 0),
        },
        {
          label: 'Bans',
          link: {to: '/pending', search: {tab: 'bans'}},
          isCurrent: tab === 'bans',
        },
      ]}
    />
  );
  if (tab !== 'bans') return <Queue list={list} tabs={tabs} />;
  return (
    <div className="page">
      <PageHeader title="Pending" />
      {tabs}
      <BansPanel />
    </div>
  );
}

function Queue({list, tabs}: {readonly list: Rows; readonly tabs: ReactNode}) {
  const {machine: id, with: beside} = useSearch({from: '/shell/pending'});
  const navigate = useNavigate();
  const {rows} = list;
  const at = rows.findIndex(({machine}) => machine?.id === id);
  // Somebody may have been sent here to a machine that is far down.
  const isFar = id !== undefined && at < 0 && list.hasMore;
  const far = useQuery(DiscoveryService.method.listPendingMachines, isFar ? {id} : skipToken);
  const found = rows[at] ?? (isFar ? far.data?.machines[0] : undefined);
  const isSought = isFar && far.isPending;

  const goOn = () => {
    const isPhone = globalThis.matchMedia('(max-width: 800px)').matches;
    const next = isPhone ? undefined : (rows[at + 1] ?? rows[at - 1])?.machine?.id;
    void navigate({to: '/pending', search: next === undefined ? {} : {machine: next}});
  };
  return (
    <SplitPage
      title="Pending"
      beside={rows.length > 0 && <span className="muted">the longest first</span>}
      actions={rows.length > 0 && <ApplyButton machineId="" />}
      above={tabs}
      openKey={id}
      list={<Waiting list={list} openId={id} />}
    >
      {found?.machine ? (
        <PendingDetail
          key={found.machine.id}
          pending={found}
          machine={found.machine}
          beside={beside}
          onDone={goOn}
        />
      ) : id === undefined || list.isLoading || isSought ? (
        <NothingChosen list={list} />
      ) : (
        <Gone id={id} />
      )}
    </SplitPage>
  );
}

function Waiting({list, openId}: {readonly list: Rows; readonly openId: string | undefined}) {
  const {rows, error, isLoading, hasMore, isLoadingMore, loadMore, refresh} = list;
  if (isLoading) return <Skeleton lines={8} />;
  if (error && rows.length === 0)
    return <ErrorState error={error} attempt="load what waits" onRetry={refresh} />;
  if (rows.length === 0)
    return (
      <EmptyState icon="check" title="No machine waits">
        <p>
          A box that boots from this network comes here when the acceptance policy or a rule holds
          it.
        </p>
        <p>
          <code>muster machines pending</code>
        </p>
      </EmptyState>
    );
  return (
    <>
      <ItemList label="Machines that wait">
        {rows.map(row => (
          <WaitingItem key={row.machine?.id} row={row} openId={openId} />
        ))}
      </ItemList>
      {hasMore && (
        <Button busy={isLoadingMore} onClick={loadMore}>
          Show more
        </Button>
      )}
      <div className="visually-hidden" aria-live="polite">
        {plural(rows.length, 'machine')} {rows.length === 1 ? 'waits' : 'wait'}
      </div>
    </>
  );
}

function WaitingItem({
  row,
  openId,
}: {
  readonly row: PendingMachine;
  readonly openId: string | undefined;
}) {
  const {machine, switchPorts, lookAlikes} = row;
  if (!machine) return null;
  const {manufacturer, product} = machine;
  const [port] = switchPorts;
  const isAlike = lookAlikes.some(({score}) => score > 0);
  return (
    <li>
      <Item
        to="/pending"
        search={{machine: machine.id}}
        item={machine.id}
        isOpen={machine.id === openId}
        name={machineName(machine)}
        beside={
          <span className="muted">
            <RelativeTime time={machine.createTime} />
          </span>
        }
      >
        {product && <span>{`${manufacturer} ${product}`}</span>}
        {machine.macAddress && <span className="mono">{machine.macAddress}</span>}
        {port && <span>{`${port.switch} ${port.port}`}</span>}
        {machine.quarantineReason && (
          <Badge look={{word: 'Quarantine', tone: 'warn', icon: 'warning'}} />
        )}
        {isAlike && <Badge look={{word: 'Looks like another', tone: 'warn', icon: 'question'}} />}
      </Item>
    </li>
  );
}

function NothingChosen({list: {isLoading, rows}}: {readonly list: Rows}) {
  if (isLoading) return <Skeleton lines={6} />;
  if (rows.length === 0) return null;
  return (
    <EmptyState icon="pending" title="Choose a machine">
      <p>Compare its label with what the server has seen, then let it in or turn it away.</p>
    </EmptyState>
  );
}

/** Somebody else was faster, or a rule. */
function Gone({id}: {readonly id: string}) {
  const {data, error} = useQuery(MachineService.method.getMachine, {id});
  const machine = data?.machine;
  return (
    <>
      <DetailHeader
        title={machine ? machineName(machine) : 'This machine'}
        back={<BackLink to="/pending">All that wait</BackLink>}
        beside={machine && <StateBadge value={machine.state} />}
      />
      <EmptyState icon="check" title="It does not wait any more">
        <p>
          {error
            ? 'No machine is called that any more: it may have been deleted, or merged.'
            : machine?.stateReason}
        </p>
        {machine && (
          <ButtonLink to="/machines/$id" params={{id: machine.id}}>
            To the machine
          </ButtonLink>
        )}
      </EmptyState>
    </>
  );
}

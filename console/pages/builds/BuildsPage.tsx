import {
  type Build,
  BuildService,
  type ListBuildsResponse,
} from '@muster/proto/gen/muster/v1/builds_pb.ts';
import {Operation_State as State} from '@muster/proto/gen/muster/v1/operations_pb.ts';
import {useNavigate, useSearch} from '@tanstack/react-router';
import {useCallback, useMemo, useState} from 'react';
import {DataTable} from '../../table/DataTable.tsx';
import {useKeysetRows} from '../../table/use-keyset-rows.ts';
import {PageHeader} from '../../ui/blocks.tsx';
import {Button} from '../../ui/Button.tsx';
import {Choices} from '../../ui/Choices.tsx';
import {plural} from '../../ui/format.ts';
import {EmptyState, ErrorState} from '../../ui/states.tsx';
import {MachineChip} from '../machines/MachineChip.tsx';
import {buildColumns} from './build-columns.tsx';
import {RegistrationBuildMenu} from './RegistrationBuildMenu.tsx';

const pageSize = 100;
/** The API does not filter by state: so many builds are looked through at a time. */
const lookedThroughStep = 1_000;
const rowsOf = ({builds}: ListBuildsResponse): readonly Build[] => builds;

const choices = [
  {value: '', label: 'All'},
  {value: 'live', label: 'Under way'},
  {value: 'failed', label: 'Failed'},
  {value: 'succeeded', label: 'Succeeded'},
  {value: 'cancelled', label: 'Cancelled'},
] as const;
type Choice = (typeof choices)[number]['value'];
const statesOf: Readonly<Record<Choice, readonly State[]>> = {
  '': [],
  live: [State.QUEUED, State.RUNNING],
  failed: [State.FAILED],
  succeeded: [State.SUCCEEDED],
  cancelled: [State.CANCELLED],
};
const choiceOf = (text: string | undefined): Choice =>
  choices.find(({value}) => value === text)?.value ?? '';

export function BuildsPage() {
  const search = useSearch({from: '/shell/builds'});
  const navigate = useNavigate({from: '/builds'});
  const machineId = search.machine ?? '';
  const choice = choiceOf(search.state);
  const [lookedMax, setLookedMax] = useState(lookedThroughStep);
  const list = useKeysetRows(BuildService.method.listBuilds, {pageSize, machineId}, rowsOf);
  const states = statesOf[choice];
  const rows = useMemo(
    () =>
      states.length === 0
        ? list.rows
        : list.rows.filter(({operation}) => operation && states.includes(operation.state)),
    [list.rows, states],
  );
  const isCut = states.length > 0 && list.hasMore && list.rows.length >= lookedMax;
  const open = useCallback(
    ({id}: Build) => void navigate({to: '/builds/$id', params: {id}}),
    [navigate],
  );
  return (
    <div className="page fill">
      <PageHeader title="Builds" actions={<RegistrationBuildMenu />} />
      <div className="toolbar">
        <Choices
          label="State"
          items={choices}
          value={choice}
          onChange={state => void navigate({search: old => ({...old, state})})}
        />
        <MachineChip
          id={machineId}
          onRemove={() => void navigate({search: old => ({...old, machine: undefined})})}
        />
        {isCut && (
          <span className="muted">
            In the newest {plural(list.rows.length, 'build')}{' '}
            <Button kind="quiet" onClick={() => setLookedMax(list.rows.length + lookedThroughStep)}>
              Look further back
            </Button>
          </span>
        )}
      </div>
      {list.error && (
        <ErrorState error={list.error} attempt="list the builds" onRetry={list.refresh} />
      )}
      {!(list.error && list.rows.length === 0) && (
        <DataTable
          fills
          label="Builds"
          columns={buildColumns}
          rows={rows}
          rowId={({id}) => id}
          hasMore={list.hasMore && !isCut}
          isLoading={list.isLoading}
          isLoadingMore={list.isLoadingMore}
          onLoadMore={list.loadMore}
          onOpen={open}
          empty={<NoBuilds isFiltered={choice !== '' || machineId !== ''} />}
        />
      )}
    </div>
  );
}

function NoBuilds({isFiltered}: {readonly isFiltered: boolean}) {
  if (isFiltered)
    return (
      <EmptyState icon="build" title="No build is like that">
        <p>Choose another state, or all of them.</p>
      </EmptyState>
    );
  return (
    <EmptyState icon="build" title="Nothing has been built yet">
      <p>
        A build turns a machine’s configuration into the image that it boots. Save a configuration
        on a machine’s page and build it there, or run{' '}
        <code>muster build start MACHINE --watch</code>.
      </p>
      <p>Registration images are built by themselves when the first builder joins.</p>
    </EmptyState>
  );
}

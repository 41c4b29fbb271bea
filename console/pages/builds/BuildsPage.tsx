import {
  type Build,
  BuildService,
  type ListBuildsResponse,
} from '@muster/proto/gen/muster/v1/builds_pb.ts';
import {useNavigate, useSearch} from '@tanstack/react-router';
import {useCallback, useMemo} from 'react';
import {KeysetTable} from '../../table/KeysetTable.tsx';
import {LookFurther, useLookedThrough} from '../../table/LookFurther.tsx';
import {useKeysetRows} from '../../table/use-keyset-rows.ts';
import {PageHeader} from '../../ui/blocks.tsx';
import {Choices} from '../../ui/Choices.tsx';
import {EmptyState} from '../../ui/states.tsx';
import {MachineChip} from '../machines/MachineChip.tsx';
import {stateChoiceOf, stateChoices} from '../operations/state-choices.ts';
import {buildColumns} from './build-columns.tsx';
import {RegistrationBuildMenu} from './RegistrationBuildMenu.tsx';

const pageSize = 100;
const rowsOf = ({builds}: ListBuildsResponse): readonly Build[] => builds;

export function BuildsPage() {
  const search = useSearch({from: '/shell/builds'});
  const navigate = useNavigate({from: '/builds'});
  const machineId = search.machine ?? '';
  const {choice, includes} = useMemo(() => stateChoiceOf(search.state), [search.state]);
  const list = useKeysetRows(BuildService.method.listBuilds, {pageSize, machineId}, rowsOf);
  const rows = useMemo(
    () => list.rows.filter(({operation}) => includes(operation?.state)),
    [list.rows, includes],
  );
  const looked = useLookedThrough(list, choice !== '');
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
          items={stateChoices}
          value={choice}
          onChange={state => void navigate({search: old => ({...old, state})})}
        />
        <MachineChip
          id={machineId}
          onRemove={() => void navigate({search: old => ({...old, machine: undefined})})}
        />
        <LookFurther looked={looked} noun="build" />
      </div>
      <KeysetTable
        fills
        label="Builds"
        attempt="list the builds"
        list={{...list, rows, hasMore: list.hasMore && !looked.isCut}}
        columns={buildColumns}
        rowId={({id}) => id}
        onOpen={open}
        empty={<NoBuilds isFiltered={choice !== '' || machineId !== ''} />}
      />
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

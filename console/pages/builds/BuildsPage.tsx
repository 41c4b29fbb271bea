import {
  type Build,
  BuildService,
  type ListBuildsResponse,
} from '@muster/proto/gen/muster/v1/builds_pb.ts';
import {Image_Kind as Kind} from '@muster/proto/gen/muster/v1/images_pb.ts';
import {useNavigate, useSearch} from '@tanstack/react-router';
import {useCallback} from 'react';
import {KeysetTable} from '../../table/KeysetTable.tsx';
import {useKeysetRows} from '../../table/use-keyset-rows.ts';
import {PageHeader} from '../../ui/blocks.tsx';
import {Chip} from '../../ui/Chip.tsx';
import {Choices} from '../../ui/Choices.tsx';
import {sinceOf, SinceChoice} from '../../ui/SinceChoice.tsx';
import {EmptyState} from '../../ui/states.tsx';
import {ImageChip} from '../images/ImageChip.tsx';
import {MachineChip} from '../machines/MachineChip.tsx';
import {stateChoiceOf, stateChoices} from '../operations/state-choices.ts';
import {buildColumns} from './build-columns.tsx';
import {RegistrationBuildMenu} from './RegistrationBuildMenu.tsx';

const pageSize = 100;
const rowsOf = ({builds}: ListBuildsResponse): readonly Build[] => builds;

export function BuildsPage() {
  const search = useSearch({from: '/shell/builds'});
  const navigate = useNavigate({from: '/builds'});
  const query = requestOf(search);
  const list = useKeysetRows(BuildService.method.listBuilds, {pageSize, ...query}, rowsOf);
  const open = useCallback(
    ({id}: Build) => void navigate({to: '/builds/$id', params: {id}}),
    [navigate],
  );
  return (
    <div className="page fill">
      <PageHeader title="Builds" actions={<RegistrationBuildMenu />} />
      <BuildFilters />
      <KeysetTable
        fills
        label="Builds"
        attempt="list the builds"
        list={list}
        columns={buildColumns}
        rowId={({id}) => id}
        onOpen={open}
        empty={<NoBuilds isFiltered={Object.values(search).some(Boolean)} />}
      />
    </div>
  );
}

type BuildSearch = {
  readonly [name in 'state' | 'kind' | 'machine' | 'image' | 'template' | 'since']?:
    | string
    | undefined;
};

const requestOf = ({state, kind, machine, image, template, since}: BuildSearch) => ({
  states: stateChoiceOf(state).states,
  kind: kindChoiceOf(kind).kind,
  machineId: machine ?? '',
  imageId: image ?? '',
  template: template ?? '',
  since: sinceOf(since),
});

const kindChoices = [
  {value: '', label: 'Every image', kind: Kind.UNSPECIFIED},
  {value: 'machine', label: 'Machines', kind: Kind.MACHINE},
  {value: 'registration', label: 'Registration', kind: Kind.REGISTRATION},
] as const;
const kindChoiceOf = (text: string | undefined) =>
  kindChoices.find(({value}) => value === text) ?? kindChoices[0];

function BuildFilters() {
  const search = useSearch({from: '/shell/builds'});
  const navigate = useNavigate({from: '/builds'});
  const {image = '', template = ''} = search;
  const change = (part: BuildSearch) => void navigate({search: old => ({...old, ...part})});
  return (
    <div className="toolbar">
      <Choices
        label="State"
        items={stateChoices}
        value={stateChoiceOf(search.state).choice}
        onChange={state => change({state: state || undefined})}
      />
      <Choices
        label="Image of"
        items={kindChoices}
        value={kindChoiceOf(search.kind).value}
        onChange={kind => change({kind: kind || undefined})}
      />
      <SinceChoice value={sinceOf(search.since)} onChange={since => change({since})} />
      <MachineChip id={search.machine ?? ''} onRemove={() => change({machine: undefined})} />
      <ImageChip id={image} onRemove={() => change({image: undefined})} />
      {template !== '' && (
        <Chip label="With all templates" onRemove={() => change({template: undefined})}>
          Only with template <strong>{template}</strong>
        </Chip>
      )}
    </div>
  );
}

function NoBuilds({isFiltered}: {readonly isFiltered: boolean}) {
  if (isFiltered)
    return (
      <EmptyState icon="build" title="No build is like that">
        <p>Choose another state or time, or all of them.</p>
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

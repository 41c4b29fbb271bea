import {
  type ImageTest,
  ImageTest_TestType as TestType,
  ImageTestService,
  type ListImageTestsResponse,
} from '@muster/proto/gen/muster/v1/image_tests_pb.ts';
import {useNavigate, useSearch} from '@tanstack/react-router';
import {useCallback} from 'react';
import {useOperateReason} from '../../api/caller.ts';
import {KeysetTable} from '../../table/KeysetTable.tsx';
import {useKeysetRows} from '../../table/use-keyset-rows.ts';
import {PageHeader} from '../../ui/blocks.tsx';
import {ButtonLink} from '../../ui/Button.tsx';
import {Choices} from '../../ui/Choices.tsx';
import {sinceOf, SinceChoice} from '../../ui/SinceChoice.tsx';
import {EmptyState} from '../../ui/states.tsx';
import {ImageChip} from '../images/ImageChip.tsx';
import {MachineChip} from '../machines/MachineChip.tsx';
import {ImageTestDetail} from './ImageTestDetail.tsx';
import {testColumns} from './test-columns.tsx';
import {TestForm} from './TestForm.tsx';
import {statusChoices, testTypes} from './test-words.ts';
import '../../forms/fields.css';
import './image-tests.css';

const pageSize = 100;
const rowsOf = ({imageTests}: ListImageTestsResponse): readonly ImageTest[] => imageTests;
const typeChoices = [{value: '', label: 'Every kind'}, ...testTypes];

/** Tests of images in virtual machines: all of them, one of them, or a new one; the address says which. */
export function ImageTestsPage() {
  const {test, mode, image, machine} = useSearch({from: '/shell/image-tests'});
  if (test !== undefined) return <ImageTestDetail key={test} id={test} />;
  if (mode === 'new') return <TestForm imageId={image ?? ''} machineId={machine ?? ''} />;
  return <TestList />;
}

function TestList() {
  const search = useSearch({from: '/shell/image-tests'});
  const navigate = useNavigate({from: '/image-tests'});
  const {image = '', machine = '', since} = search;
  const {state, type} = chosenOf(search);
  const list = useKeysetRows(
    ImageTestService.method.listImageTests,
    {
      pageSize,
      imageId: image,
      machineId: machine,
      status: state.status,
      since: sinceOf(since),
      testType: type?.type ?? TestType.UNSPECIFIED,
    },
    rowsOf,
  );
  const open = useCallback(
    ({id}: ImageTest) => void navigate({search: old => ({...old, test: id})}),
    [navigate],
  );
  const isFiltered = [image, machine, state.value, type?.value ?? '', sinceOf(since)].some(
    text => text !== '',
  );
  return (
    <div className="page fill">
      <PageHeader title="Image tests" actions={<NewTest />} />
      <Filters />
      <KeysetTable
        fills
        label="Image tests"
        attempt="list the image tests"
        columns={testColumns}
        list={list}
        rowId={({id}) => id}
        onOpen={open}
        empty={<NoTests isFiltered={isFiltered} />}
      />
    </div>
  );
}

const chosenOf = (search: {
  readonly state?: string | undefined;
  readonly type?: string | undefined;
}) => ({
  state: statusChoices.find(({value}) => value === search.state) ?? statusChoices[0],
  type: testTypes.find(({value}) => value === search.type),
});

function Filters() {
  const search = useSearch({from: '/shell/image-tests'});
  const navigate = useNavigate({from: '/image-tests'});
  const {image = '', machine = ''} = search;
  const {state, type} = chosenOf(search);
  const change = (part: Partial<typeof search>) =>
    void navigate({search: old => ({...old, ...part})});
  return (
    <div className="toolbar">
      <Choices
        label="Result"
        items={statusChoices}
        value={state.value}
        onChange={value => change({state: value})}
      />
      <select
        className="input test-kind"
        aria-label="Kind of test"
        value={type?.value ?? ''}
        onChange={({target}) => change({type: target.value})}
      >
        {typeChoices.map(({value, label}) => (
          <option key={value} value={value}>
            {label}
          </option>
        ))}
      </select>
      <SinceChoice value={sinceOf(search.since)} onChange={since => change({since})} />
      <ImageChip id={image} onRemove={() => change({image: undefined})} />
      <MachineChip id={machine} onRemove={() => change({machine: undefined})} />
    </div>
  );
}

function NewTest() {
  const reason = useOperateReason('any');
  if (reason !== undefined) return <span className="muted">{reason}</span>;
  return (
    <ButtonLink
      to="/image-tests"
      search={({image, machine}) => ({image, machine, mode: 'new'})}
      kind="primary"
      icon="plus"
    >
      Test an image
    </ButtonLink>
  );
}

function NoTests({isFiltered}: {readonly isFiltered: boolean}) {
  if (isFiltered)
    return (
      <EmptyState icon="test" title="No test is like that">
        <p>Choose another result or kind, or all images. Of each image the newest 100 are kept.</p>
      </EmptyState>
    );
  return (
    <EmptyState icon="test" title="No image was tested beside its build’s boot tests">
      <p>
        A test starts an image in a virtual machine of a builder and looks whether it boots, has a
        network, runs its services, or satisfies a script of yours. Groups can require such tests.
      </p>
      <p>
        <code>muster image-tests create boot --image IMAGE --watch</code>
      </p>
    </EmptyState>
  );
}

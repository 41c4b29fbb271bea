import type {ImageTest} from '@muster/proto/gen/muster/v1/image_tests_pb.ts';
import {Link} from '@tanstack/react-router';
import type {TableColumn} from '../../table/columns.ts';
import {Badge} from '../../ui/Badge.tsx';
import {formatDuration} from '../../ui/format.ts';
import {RelativeTime} from '../../ui/RelativeTime.tsx';
import {MachineLink} from '../machines/MachineLink.tsx';
import {isOver, testedImage, testStatusLook, testTitle} from './test-words.ts';

/** The image that a test is of; a disk image is no page of the console. */
export const TestedImage = ({test}: {readonly test: ImageTest}) =>
  test.imageId === '' ? (
    <span className="mono" title="A disk image of the image store">
      {testedImage(test)}
    </span>
  ) : (
    <Link
      to="/images/$id"
      params={{id: test.imageId}}
      className="mono tested-image"
      title={test.imageId}
    >
      {testedImage(test)}
    </Link>
  );

export const testColumns: readonly TableColumn<ImageTest>[] = [
  {
    id: 'status',
    header: 'Result',
    widthPx: 110,
    onPhone: true,
    isFixed: true,
    cell: ({status}) => <Badge look={testStatusLook(status)} />,
  },
  {
    id: 'test',
    header: 'Test',
    widthPx: 230,
    grows: true,
    onPhone: true,
    isFixed: true,
    cell: test => (
      <Link to="/image-tests" search={old => ({...old, test: test.id})}>
        {testTitle(test)}
      </Link>
    ),
  },
  {
    id: 'image',
    header: 'Image',
    widthPx: 120,
    cell: test => <TestedImage test={test} />,
  },
  {
    id: 'outcome',
    header: 'What came of it',
    widthPx: 220,
    grows: true,
    cell: test => <Outcome test={test} />,
  },
  {
    id: 'machine',
    header: 'For',
    widthPx: 110,
    cell: ({machineId}) => <MachineLink id={machineId} />,
  },
  {id: 'actor', header: 'Asked for by', widthPx: 110, cell: ({actor}) => <Actor actor={actor} />},
  {
    id: 'created',
    header: 'Asked for',
    widthPx: 100,
    cell: ({createTime}) => <RelativeTime time={createTime} />,
  },
];

/** A gate asks by itself. */
export const Actor = ({actor}: {readonly actor: string}) =>
  actor === 'system' ? <span className="muted">a gate</span> : actor.replace(/^user:/, '');

function Outcome({test}: {readonly test: ImageTest}) {
  if (test.failure !== '') return <span title={test.failure}>{test.failure}</span>;
  if (isOver(test)) return <span className="muted">in {formatDuration(test.durationMs)}</span>;
  return (
    <span className="muted">
      {test.cancelRequested
        ? 'Is being cancelled'
        : test.stage === ''
          ? 'Waits for a builder'
          : `Came to: ${test.stage}`}
    </span>
  );
}

import type {Machine} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {Link} from '@tanstack/react-router';
import type {TableColumn} from '../../table/columns.ts';
import {PresenceMark, StateBadge} from '../../ui/Badge.tsx';
import {Button} from '../../ui/Button.tsx';
import {machineName} from '../machines/machine-name.ts';
import {ImageLink} from './ImageLink.tsx';

type Input = {
  readonly imageId: string;
  readonly disabledReason: string | undefined;
  readonly onBoot: (machine: Machine) => void;
};

export const imageMachineColumns = ({
  imageId,
  disabledReason,
  onBoot,
}: Input): readonly TableColumn<Machine>[] => [
  {
    id: 'machine',
    header: 'Machine',
    widthPx: 160,
    grows: true,
    onPhone: true,
    cell: machine => (
      <Link to="/machines/$id" params={{id: machine.id}}>
        {machineName(machine)}
      </Link>
    ),
  },
  {
    id: 'state',
    header: 'State',
    widthPx: 130,
    onPhone: true,
    cell: ({state}) => <StateBadge value={state} />,
  },
  {
    id: 'presence',
    header: 'Presence',
    widthPx: 110,
    cell: ({presence}) => <PresenceMark value={presence} />,
  },
  {
    id: 'desired',
    header: 'Desires',
    widthPx: 150,
    cell: ({desiredImageId}) => <OtherImage id={desiredImageId} thisId={imageId} />,
  },
  {
    id: 'booted',
    header: 'Runs',
    widthPx: 150,
    cell: ({bootedImageId}) => <OtherImage id={bootedImageId} thisId={imageId} />,
  },
  {
    id: 'act',
    header: 'Go back to it',
    widthPx: 150,
    cell: machine =>
      machine.bootedImageId === imageId && machine.desiredImageId === imageId ? (
        <span className="muted">It runs it</span>
      ) : (
        <Button
          kind="quiet"
          icon="undo"
          disabledReason={disabledReason}
          onClick={() => onBoot(machine)}
        >
          Boot this …
        </Button>
      ),
  },
];

function OtherImage({id, thisId}: {readonly id: string; readonly thisId: string}) {
  if (id === '') return <span className="muted">none</span>;
  if (id === thisId) return <>this image</>;
  return <ImageLink id={id} />;
}

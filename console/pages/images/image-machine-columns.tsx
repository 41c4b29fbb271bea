import type {Machine} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import type {TableColumn} from '../../table/columns.ts';
import {Button} from '../../ui/Button.tsx';
import {briefColumns} from '../machines/brief-columns.tsx';
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
  briefColumns.name,
  briefColumns.state,
  briefColumns.presence,
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

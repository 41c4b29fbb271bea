import {
  type Image,
  Image_Kind as Kind,
  ImageService,
  type ListImagesResponse,
} from '@muster/proto/gen/muster/v1/images_pb.ts';
import {Permission} from '@muster/proto/gen/muster/v1/options_pb.ts';
import {useNavigate, useSearch} from '@tanstack/react-router';
import {useCallback, useMemo, useState} from 'react';
import {useMay} from '../../api/caller.ts';
import {KeysetTable} from '../../table/KeysetTable.tsx';
import {useKeysetRows} from '../../table/use-keyset-rows.ts';
import {PageHeader} from '../../ui/blocks.tsx';
import {Button} from '../../ui/Button.tsx';
import {Choices} from '../../ui/Choices.tsx';
import {EmptyState} from '../../ui/states.tsx';
import {CollectDialog} from './CollectDialog.tsx';
import {imageColumns} from './image-columns.tsx';
import {useImageUses} from './use-image-uses.ts';

const pageSize = 100;
const rowsOf = ({images}: ListImagesResponse): readonly Image[] => images;

const choices = [
  {value: '', label: 'All'},
  {value: 'machine', label: 'Of machines'},
  {value: 'registration', label: 'Registration'},
  {value: 'rescue', label: 'Rescue'},
  {value: 'uploaded', label: 'Uploaded'},
] as const;
type Choice = (typeof choices)[number]['value'];
const kindOf: Readonly<Record<Choice, Kind>> = {
  '': Kind.UNSPECIFIED,
  machine: Kind.MACHINE,
  registration: Kind.REGISTRATION,
  rescue: Kind.RESCUE,
  uploaded: Kind.UPLOADED,
};

export function ImagesPage() {
  const search = useSearch({from: '/shell/images'});
  const navigate = useNavigate({from: '/images'});
  const [collects, setCollects] = useState(false);
  const mayCollect = useMay(Permission.ADMINISTER);
  const choice = choices.find(({value}) => value === search.kind)?.value ?? '';
  const list = useKeysetRows(
    ImageService.method.listImages,
    {pageSize, kind: kindOf[choice]},
    rowsOf,
  );
  const uses = useImageUses();
  const columns = useMemo(() => imageColumns(uses), [uses]);
  const open = useCallback(
    ({id}: Image) => void navigate({to: '/images/$id', params: {id}}),
    [navigate],
  );
  return (
    <div className="page fill">
      <PageHeader
        title="Images"
        actions={
          <Button
            icon="trash"
            disabledReason={mayCollect ? undefined : 'This takes the role admin'}
            onClick={() => setCollects(true)}
          >
            Collect unused …
          </Button>
        }
      />
      <div className="toolbar">
        <Choices
          label="Kind"
          items={choices}
          value={choice}
          onChange={kind => void navigate({search: old => ({...old, kind})})}
        />
      </div>
      <KeysetTable
        fills
        label="Images"
        attempt="list the images"
        columns={columns}
        list={list}
        rowId={({id}) => id}
        onOpen={open}
        empty={<NoImages isFiltered={choice !== ''} />}
      />
      {collects && <CollectDialog onClose={() => setCollects(false)} />}
    </div>
  );
}

function NoImages({isFiltered}: {readonly isFiltered: boolean}) {
  return (
    <EmptyState
      icon="image"
      title={isFiltered ? 'There is no image of this kind' : 'There are no images yet'}
    >
      <p>
        A builder makes them: the registration images when the first builder joins, a machine’s
        image when its configuration is built.
      </p>
      <p>
        <code>muster services add builder NAME</code> lets a builder in,{' '}
        <code>muster build start MACHINE</code> builds.
      </p>
    </EmptyState>
  );
}

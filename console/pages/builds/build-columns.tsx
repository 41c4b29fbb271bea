import type {Build} from '@muster/proto/gen/muster/v1/builds_pb.ts';
import type {TableColumn} from '../../table/columns.ts';
import {OperationBadge} from '../../ui/Badge.tsx';
import {Identifier} from '../../ui/Identifier.tsx';
import {RelativeTime} from '../../ui/RelativeTime.tsx';
import {imageVariantWord} from '../images/image-words.ts';
import {MachineLink} from '../machines/MachineLink.tsx';
import {BuildProgress} from './BuildProgress.tsx';
import {isRegistration, registrationTitle} from './build-words.ts';

export const buildColumns: readonly TableColumn<Build>[] = [
  {
    id: 'state',
    header: 'State',
    widthPx: 120,
    onPhone: true,
    isFixed: true,
    cell: ({operation}) => <OperationBadge value={operation?.state} />,
  },
  {
    id: 'for',
    header: 'Image of',
    widthPx: 180,
    grows: true,
    onPhone: true,
    isFixed: true,
    cell: build =>
      isRegistration(build) ? registrationTitle(build) : <MachineLink id={build.machineId} />,
  },
  {
    id: 'progress',
    header: 'Progress and outcome',
    widthPx: 300,
    grows: true,
    cell: build => <BuildProgress build={build} />,
  },
  {
    id: 'with',
    header: 'Built with',
    widthPx: 170,
    cell: ({backend, variant}) => (
      <span>
        {backend} <span className="muted">{imageVariantWord(variant)}</span>
      </span>
    ),
  },
  {
    id: 'actor',
    header: 'Asked for by',
    widthPx: 120,
    cell: ({operation}) => operation?.actor,
  },
  {
    id: 'created',
    header: 'Asked for',
    widthPx: 110,
    cell: ({operation}) => <RelativeTime time={operation?.createTime} />,
  },
  {
    id: 'id',
    header: 'Id',
    widthPx: 110,
    isExtra: true,
    cell: ({id}) => <Identifier id={id} what="the id of the build" />,
  },
];

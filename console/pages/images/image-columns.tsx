import type {Image} from '@muster/proto/gen/muster/v1/images_pb.ts';
import type {TableColumn} from '../../table/columns.ts';
import {Badge} from '../../ui/Badge.tsx';
import {CopyButton} from '../../ui/CopyButton.tsx';
import {formatBytes, formatCount} from '../../ui/format.ts';
import {RelativeTime} from '../../ui/RelativeTime.tsx';
import type {Look} from '../../ui/tones.ts';
import {imageBytes} from './image-files.ts';
import {firmwareWord, imageKindWord, imageVariantWord} from './image-words.ts';
import {ImageLink} from './ImageLink.tsx';
import type {ImageUses} from './use-image-uses.ts';
import '../../ui/identifier.css';

const untested: Look = {word: 'Not tested', tone: 'idle', icon: 'dash'};

export function bootTestLook({bootTests}: Pick<Image, 'bootTests'>): Look {
  if (bootTests.length === 0) return untested;
  const failed = bootTests.filter(({passed}) => !passed);
  const words = (failed.length > 0 ? failed : bootTests)
    .map(({firmware}) => firmwareWord(firmware))
    .join(', ');
  return failed.length > 0
    ? {word: `Failed: ${words}`, tone: 'bad', icon: 'warning'}
    : {word: words, tone: 'ok', icon: 'check'};
}

export const imageColumns = (uses: ImageUses | undefined): readonly TableColumn<Image>[] => [
  {
    id: 'digest',
    header: 'Digest',
    widthPx: 170,
    onPhone: true,
    isFixed: true,
    cell: ({id}) => (
      <span className="identifier">
        <ImageLink id={id} />
        <CopyButton text={id} what="the digest" />
      </span>
    ),
  },
  {
    id: 'kind',
    header: 'Kind',
    widthPx: 220,
    grows: true,
    onPhone: true,
    cell: ({kind, variant, backend}) => (
      <span>
        {imageKindWord(kind)}{' '}
        <span className="muted">
          {backend}, {imageVariantWord(variant)}
        </span>
      </span>
    ),
  },
  {
    id: 'desired',
    header: 'Desired by',
    widthPx: 96,
    align: 'end',
    cell: ({id}) => <Uses count={uses?.desired.get(id)} known={uses !== undefined} />,
  },
  {
    id: 'booted',
    header: 'Booted by',
    widthPx: 96,
    align: 'end',
    cell: ({id}) => <Uses count={uses?.booted.get(id)} known={uses !== undefined} />,
  },
  {
    id: 'tests',
    header: 'Boot tests',
    widthPx: 150,
    cell: image => <Badge look={bootTestLook(image)} />,
  },
  {
    id: 'size',
    header: 'Size',
    widthPx: 90,
    align: 'end',
    cell: image => formatBytes(imageBytes(image)),
  },
  {
    id: 'memory',
    header: 'Memory',
    widthPx: 90,
    align: 'end',
    cell: ({memoryRequiredBytes}) =>
      memoryRequiredBytes > 0n ? formatBytes(memoryRequiredBytes) : '–',
  },
  {
    id: 'made',
    header: 'Made',
    widthPx: 110,
    cell: ({createTime}) => <RelativeTime time={createTime} />,
  },
];

const Uses = ({count, known}: {readonly count: number | undefined; readonly known: boolean}) =>
  count ? <>{formatCount(count)}</> : <span className="muted">{known ? '0' : '…'}</span>;

import {type Service, Service_Kind as Kind} from '@muster/proto/gen/muster/v1/services_pb.ts';
import type {TableColumn} from '../../table/columns.ts';
import {Badge} from '../../ui/Badge.tsx';
import {Button} from '../../ui/Button.tsx';
import {RelativeTime} from '../../ui/RelativeTime.tsx';
import type {Look} from '../../ui/tones.ts';

export const kindWord = (kind: number): string =>
  ({[Kind.EDGE]: 'Edge', [Kind.BUILDER]: 'Builder'})[kind] ?? 'Service';

export function serviceLook({revoked, online, lastSeenTime}: Service): Look {
  if (revoked) return {word: 'Revoked', tone: 'idle', icon: 'cross'};
  if (online) return {word: 'Online', tone: 'ok', icon: 'dot'};
  return lastSeenTime
    ? {word: 'Offline', tone: 'bad', icon: 'warning'}
    : {word: 'Not seen yet', tone: 'warn', icon: 'pending'};
}

type ServiceColumns = {
  readonly reason: string | undefined;
  readonly onRevoke: (service: Service) => void;
};

export const serviceColumns = ({
  reason,
  onRevoke,
}: ServiceColumns): readonly TableColumn<Service>[] => [
  {
    id: 'name',
    header: 'Service',
    widthPx: 130,
    grows: true,
    onPhone: true,
    cell: ({name}) => <strong>{name}</strong>,
  },
  {id: 'kind', header: 'Kind', widthPx: 80, cell: ({kind}) => kindWord(kind)},
  {
    id: 'state',
    header: 'State',
    widthPx: 120,
    onPhone: true,
    cell: service => <Badge look={serviceLook(service)} />,
  },
  {
    id: 'seen',
    header: 'Last seen',
    widthPx: 100,
    cell: ({lastSeenTime}) => <RelativeTime time={lastSeenTime} empty="never" />,
  },
  {
    id: 'backends',
    header: 'Builds with',
    widthPx: 200,
    grows: true,
    cell: ({backends}) =>
      backends.length === 0 ? (
        <span className="muted">–</span>
      ) : (
        backends.map(({name, available, missing}, index) => (
          <span key={name} className={available ? '' : 'muted'} title={missing}>
            {index > 0 && ', '}
            {name}
            {!available && ' (not available)'}
          </span>
        ))
      ),
  },
  {id: 'version', header: 'Version', widthPx: 90, cell: ({version}) => version},
  {
    id: 'joined',
    header: 'Joined',
    widthPx: 100,
    cell: ({createTime}) => <RelativeTime time={createTime} />,
  },
  {
    id: 'actions',
    header: 'Action',
    widthPx: 92,
    onPhone: true,
    cell: service =>
      !service.revoked && (
        <Button
          kind="quiet"
          aria-label={`Revoke ${service.name}`}
          disabledReason={reason}
          onClick={() => onRevoke(service)}
        >
          Revoke
        </Button>
      ),
  },
];

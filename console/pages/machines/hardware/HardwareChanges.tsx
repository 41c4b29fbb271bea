import {
  HardwareChange_Type as ChangeType,
  HardwareService,
} from '@muster/proto/gen/muster/v1/hardware_pb.ts';
import {useQuery} from '@connectrpc/connect-query';
import {Card, Skeleton} from '../../../ui/blocks.tsx';
import {Icon, type IconName} from '../../../ui/icons.tsx';
import {ErrorState} from '../../../ui/states.tsx';
import type {Tone} from '../../../ui/tones.ts';

const looks: Readonly<Record<number, {readonly icon: IconName; readonly tone: Tone}>> = {
  [ChangeType.ADDED]: {icon: 'plus', tone: 'ok'},
  [ChangeType.REMOVED]: {icon: 'dash', tone: 'bad'},
  [ChangeType.REPLACED]: {icon: 'refresh', tone: 'warn'},
  [ChangeType.MOVED]: {icon: 'right', tone: 'info'},
  [ChangeType.CHANGED]: {icon: 'half', tone: 'info'},
};

type HardwareChangesProps = {
  readonly machineId: string;
  readonly from: number;
  readonly to: number;
};

/** What is different between two inventories, part by part. */
export function HardwareChanges({machineId, from, to}: HardwareChangesProps) {
  const {data, error, refetch} = useQuery(HardwareService.method.diffHardwareVersions, {
    machineId,
    from,
    to,
  });
  return (
    <Card title={`Version ${from} → ${to}`} flush>
      <ErrorState error={error} attempt="compare the versions" onRetry={() => void refetch()} />
      {!data && !error && <Skeleton lines={4} />}
      {data?.diff?.changes.length === 0 && <p className="rows-none">They are the same.</p>}
      <ul className="changes">
        {data?.diff?.changes.map((change, index) => {
          const {icon, tone} = looks[change.type] ?? {icon: 'dot' as const, tone: 'idle' as const};
          return (
            <li key={index} className={`tone-${tone}`}>
              <Icon name={icon} />
              <div>
                {change.summary}
                {change.attributes.map(({name, before, after}) => (
                  <div key={name} className="muted">
                    {name}: {before || '–'} → {after || '–'}
                  </div>
                ))}
              </div>
            </li>
          );
        })}
      </ul>
    </Card>
  );
}

import {WorkspaceService} from '@muster/proto/gen/muster/v1/workspaces_pb.ts';
import {useQuery} from '@connectrpc/connect-query';
import {Link} from '@tanstack/react-router';
import {Card, ProgressBar} from '../../ui/blocks.tsx';
import {formatBytes, formatCount, formatDiskBytes} from '../../ui/format.ts';
import {type Capacity, useCapacity} from './use-fleet.ts';

const workspacesMax = 6;
const inService = 'state = (ACTIVE OR MAINTENANCE)';

const sizes: readonly (readonly [
  label: string,
  key: 'cpuThreads' | 'memoryBytes' | 'diskBytes',
  format: (value: number) => string,
])[] = [
  ['CPU threads', 'cpuThreads', formatCount],
  ['Memory', 'memoryBytes', formatBytes],
  ['Disks', 'diskBytes', formatDiskBytes],
];

/** What the site has, and how much of it is in service. */
export function CapacityCard() {
  const all = useCapacity('');
  const used = useCapacity(inService);
  const {data} = useQuery(WorkspaceService.method.listWorkspaces, {pageSize: workspacesMax});
  return (
    <Card
      title="Capacity"
      actions={
        <Link to="/machines" search={{filter: inService}}>
          In service
        </Link>
      }
      flush
    >
      {sizes.map(([label, key, format]) => (
        <Meter
          key={key}
          label={label}
          used={used?.[key]}
          all={all}
          total={all?.[key]}
          format={format}
        />
      ))}
      <ul className="rows">
        {(data?.workspaces ?? []).map(({id, name, machineCount, machinesMax}) => (
          <li key={id}>
            <Link to="/machines" search={{filter: `workspace = "${name}"`}} className="grow">
              {name}
            </Link>
            <span className="number">
              {formatCount(machineCount)}
              {machinesMax > 0 && ` of ${formatCount(machinesMax)}`}
            </span>
          </li>
        ))}
      </ul>
    </Card>
  );
}

type MeterProps = {
  readonly label: string;
  readonly used: number | undefined;
  readonly total: number | undefined;
  readonly all: Capacity | undefined;
  readonly format: (value: number) => string;
};

function Meter({label, used, total, all, format}: MeterProps) {
  const isKnown = used !== undefined && total !== undefined;
  return (
    <div className="capacity-meter">
      <span>{label}</span>
      <span>
        {isKnown ? (
          <>
            {format(used)}{' '}
            <span className="muted">
              of {all?.isLeast && 'at least '}
              {format(total)}
            </span>
          </>
        ) : (
          '…'
        )}
      </span>
      <ProgressBar
        percent={isKnown && total > 0 ? (100 * used) / total : 0}
        label={`${label} in service`}
      />
    </div>
  );
}

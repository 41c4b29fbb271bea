import {MachineService} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {skipToken, useQuery} from '@connectrpc/connect-query';
import {keepPreviousData} from '@tanstack/react-query';
import {Link} from '@tanstack/react-router';
import {useDebounced} from '../../hooks/use-debounced.ts';
import {StateBadge} from '../../ui/Badge.tsx';
import {formatCount} from '../../ui/format.ts';
import {machineName} from '../machines/machine-name.ts';

const settleMs = 350;
const sampleSize = 8;

/** Which machines a filter means now, while it is typed. */
export function useFilterMatches(filter: string) {
  const text = filter.trim();
  const settled = useDebounced(text, settleMs);
  const {data, error, isPlaceholderData} = useQuery(
    MachineService.method.listMachines,
    settled === '' ? skipToken : {filter: settled, pageSize: sampleSize, countTotal: true},
    {placeholderData: keepPreviousData, retry: false},
  );
  const isAsked = text !== '';
  return {
    matches: isAsked && !error ? data : undefined,
    error: isAsked ? error : null,
    isOld: isPlaceholderData || settled !== text,
  };
}

type Matches = ReturnType<typeof useFilterMatches>['matches'];

export function FilterMatches({
  matches,
  isOld,
}: {
  readonly matches: Matches;
  readonly isOld: boolean;
}) {
  if (!matches) return null;
  const {machines, totalSize, totalEstimated} = matches;
  const more = totalSize - BigInt(machines.length);
  return (
    <div aria-busy={isOld || undefined}>
      <p className="match-count" role="status">
        <span>
          Would hold{' '}
          <strong>
            {totalEstimated && 'about '}
            {formatCount(totalSize)}
          </strong>{' '}
          {totalSize === 1n ? 'machine' : 'machines'} now
        </span>
      </p>
      {machines.length > 0 && (
        <ul className="sample" aria-label="Some of them">
          {machines.map(machine => (
            <li key={machine.id}>
              <Link to="/machines/$id" params={{id: machine.id}}>
                {machineName(machine)}
              </Link>
              <StateBadge value={machine.state} />
              <span className="muted">{`${machine.manufacturer} ${machine.product}`}</span>
            </li>
          ))}
        </ul>
      )}
      {more > 0n && <p className="muted">and {formatCount(more)} more</p>}
    </div>
  );
}

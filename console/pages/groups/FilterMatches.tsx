import {MachineService} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {skipToken, useQuery} from '@connectrpc/connect-query';
import {keepPreviousData} from '@tanstack/react-query';
import {useDebounced} from '../../hooks/use-debounced.ts';
import {formatTotal} from '../../ui/format.ts';
import {MachineSample} from '../machines/MachineSample.tsx';

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
  return (
    <div aria-busy={isOld || undefined}>
      <p className="match-count" role="status">
        <span>
          Would hold <strong>{formatTotal(totalSize, totalEstimated)}</strong>{' '}
          {totalSize === 1n ? 'machine' : 'machines'} now
        </span>
      </p>
      <MachineSample machines={machines} total={totalSize} />
    </div>
  );
}

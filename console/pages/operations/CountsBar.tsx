import type {Operation_Counts as Counts} from '@muster/proto/gen/muster/v1/operations_pb.ts';
import {countParts, countsText} from './operation-words.ts';
import './operations.css';

/** How many machines of an operation are where, as one bar. */
export function CountsBar({counts, label}: {readonly counts: Counts; readonly label: string}) {
  const words = countsText(counts);
  return (
    <div className="counts-bar" role="img" aria-label={`${label}: ${words}`} title={words}>
      {countParts(counts).map(
        ({key, tone, count}) =>
          count > 0 && <span key={key} className={`tone-${tone}`} style={{flexGrow: count}} />,
      )}
    </div>
  );
}

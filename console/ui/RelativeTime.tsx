import type {Timestamp} from '@bufbuild/protobuf/wkt';
import {useNow} from '../hooks/use-now.ts';
import {dateOf, formatExact, formatRelative} from './format.ts';

/** "3 min. ago"; the exact time on hover and for screen readers that ask. */
export function RelativeTime({
  time,
  empty = '–',
}: {
  readonly time: Timestamp | undefined;
  readonly empty?: string;
}) {
  const now = useNow();
  const date = dateOf(time);
  if (!date) return <span className="muted">{empty}</span>;
  return (
    <time dateTime={date.toISOString()} title={formatExact(date)}>
      {formatRelative(date, now)}
    </time>
  );
}

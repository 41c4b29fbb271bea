import {Skeleton} from './blocks.tsx';
import {ErrorState} from './states.tsx';

type LoadingProps = {
  /** Of the query that brings it. */
  readonly error: unknown;
  readonly refetch: () => unknown;
  /** "load the machine" */
  readonly attempt: string;
  /** About as many as what comes will take. */
  readonly lines: number;
};

/** In place of an answer that is not there yet: grey lines, or why there is none. */
export function Loading({error, refetch, attempt, lines}: LoadingProps) {
  if (!error) return <Skeleton lines={lines} />;
  return <ErrorState error={error} attempt={attempt} onRetry={() => void refetch()} />;
}

import {Code, ConnectError} from '@connectrpc/connect';
import {QueryClient} from '@tanstack/react-query';

const freshMs = 15_000;
const retriesMax = 3;
const transient: readonly Code[] = [Code.Unavailable, Code.DeadlineExceeded, Code.Aborted];

/** Whether the same question may go better after so many failures. */
export const mayRetry = (failures: number, error: unknown): boolean =>
  failures < retriesMax && error instanceof ConnectError && transient.includes(error.code);

export const retryDelayMs = (failures: number): number => Math.min(1000 * 2 ** failures, 15_000);

/** Events of the server say when something is stale (live/); the time is for what has no event. */
export const createQueryClient = (): QueryClient =>
  new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: freshMs,
        refetchOnWindowFocus: true,
        retry: mayRetry,
        retryDelay: retryDelayMs,
      },
    },
  });

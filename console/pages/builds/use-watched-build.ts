import {BuildService} from '@muster/proto/gen/muster/v1/builds_pb.ts';
import {createClient} from '@connectrpc/connect';
import {createConnectQueryKey, useTransport} from '@connectrpc/connect-query';
import {useQueryClient} from '@tanstack/react-query';
import {useCallback} from 'react';
import {useWatchedLog, type WatchedLog} from '../../log/use-watched-log.ts';

/** The log of a build as it comes. What the stream says of its state goes where GetBuild's answers are, for the whole page. */
export function useWatchedBuild(id: string): WatchedLog {
  const transport = useTransport();
  const queryClient = useQueryClient();
  const open = useCallback(
    async function* (signal: AbortSignal) {
      const queryKey = createConnectQueryKey({
        schema: BuildService.method.getBuild,
        input: {id},
        transport,
        cardinality: 'finite',
      });
      const client = createClient(BuildService, transport);
      for await (const {update} of client.watchBuild({id}, {signal})) {
        if (update.case === 'build') {
          const build = update.value;
          queryClient.setQueryData(queryKey, old => (old ? {...old, build} : old));
        }
        yield update.case === 'log' ? update.value : undefined;
      }
    },
    [id, transport, queryClient],
  );
  return useWatchedLog(open);
}

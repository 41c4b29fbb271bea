import {ImageTestService} from '@muster/proto/gen/muster/v1/image_tests_pb.ts';
import {createClient} from '@connectrpc/connect';
import {createConnectQueryKey, useTransport} from '@connectrpc/connect-query';
import {useQueryClient} from '@tanstack/react-query';
import {useCallback} from 'react';
import {useWatchedLog, type WatchedLog} from '../../log/use-watched-log.ts';

/** The serial console as it comes. What the stream says of the test's state goes where GetImageTest's answers are. */
export function useWatchedTest(id: string): WatchedLog {
  const transport = useTransport();
  const queryClient = useQueryClient();
  const open = useCallback(
    async function* (signal: AbortSignal) {
      const queryKey = createConnectQueryKey({
        schema: ImageTestService.method.getImageTest,
        input: {id},
        transport,
        cardinality: 'finite',
      });
      const client = createClient(ImageTestService, transport);
      for await (const {update} of client.watchImageTest({id}, {signal})) {
        if (update.case === 'imageTest') {
          const imageTest = update.value;
          queryClient.setQueryData(queryKey, old => (old ? {...old, imageTest} : old));
        }
        yield update.case === 'log' ? update.value : undefined;
      }
    },
    [id, transport, queryClient],
  );
  return useWatchedLog(open);
}

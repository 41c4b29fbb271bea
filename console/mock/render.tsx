import './dom.ts';
import {TransportProvider} from '@connectrpc/connect-query';
import {QueryClientProvider} from '@tanstack/react-query';
import {createMemoryHistory, RouterProvider} from '@tanstack/react-router';
import {createQueryClient} from '../api/query-client.ts';
import {createEventStream} from '../live/event-stream.ts';
import {createInvalidator} from '../live/invalidate.ts';
import {LiveProvider} from '../live/live.tsx';
import {createConsoleRouter} from '../routes.tsx';
import {createMockTransport, type MockNoun} from './transport.ts';

const {configure, render} = await import('@testing-library/react');
// The first test of a file waits for the code of its page, too; hosts are slow at times.
configure({asyncUtilTimeout: 10_000});

/** The whole console at an address, over the mock server: tests look at it as people do, by roles and words. */
export function renderConsole(address: string, ...nouns: readonly MockNoun[]) {
  const transport = createMockTransport(...nouns);
  const queryClient = createQueryClient();
  queryClient.setDefaultOptions({
    queries: {...queryClient.getDefaultOptions().queries, retry: false},
  });
  const stream = createEventStream(transport);
  stream.onBatch(createInvalidator(queryClient));
  const router = createConsoleRouter(
    {transport, queryClient},
    createMemoryHistory({initialEntries: [address]}),
  );
  const view = render(
    <TransportProvider transport={transport}>
      <QueryClientProvider client={queryClient}>
        <LiveProvider value={stream}>
          <RouterProvider router={router} />
        </LiveProvider>
      </QueryClientProvider>
    </TransportProvider>,
  );
  const end = () => {
    view.unmount();
    stream.stop();
    queryClient.clear();
  };
  return {...view, router, queryClient, [Symbol.dispose]: end};
}

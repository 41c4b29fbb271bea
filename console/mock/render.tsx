import './dom.ts';
import {createMemoryHistory} from '@tanstack/react-router';
import {createQueryClient} from '../api/query-client.ts';
import {ConsoleRoot} from '../ConsoleRoot.tsx';
import {createEventStream} from '../live/event-stream.ts';
import {createInvalidator} from '../live/invalidate.ts';
import {createConsoleRouter} from '../routes.tsx';
import {createMockTransport, type MockNoun} from './transport.ts';

const {configure, render} = await import('@testing-library/react');
// The code of a page is read when it is opened: that takes longer than a second on a busy host.
configure({asyncUtilTimeout: 20_000});

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
    <ConsoleRoot transport={transport} queryClient={queryClient} stream={stream} router={router} />,
  );
  const end = () => {
    view.unmount();
    stream.stop();
    queryClient.clear();
  };
  return {...view, router, queryClient, [Symbol.dispose]: end};
}

import type {Transport} from '@connectrpc/connect';
import {TransportProvider} from '@connectrpc/connect-query';
import {type QueryClient, QueryClientProvider} from '@tanstack/react-query';
import {type RegisteredRouter, RouterProvider} from '@tanstack/react-router';
import type {EventStream} from './live/event-stream.ts';
import {LiveProvider} from './live/live.tsx';

type ConsoleRootProps = {
  readonly transport: Transport;
  readonly queryClient: QueryClient;
  readonly stream: EventStream;
  readonly router: RegisteredRouter;
};

/** The whole console, over whatever it is given to speak to. */
export const ConsoleRoot = ({transport, queryClient, stream, router}: ConsoleRootProps) => (
  <TransportProvider transport={transport}>
    <QueryClientProvider client={queryClient}>
      <LiveProvider value={stream}>
        <RouterProvider router={router} />
      </LiveProvider>
    </QueryClientProvider>
  </TransportProvider>
);

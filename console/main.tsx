import {StrictMode} from 'react';
import {createRoot} from 'react-dom/client';
import {createQueryClient} from './api/query-client.ts';
import {createBrowserTransport, onSignedOut} from './api/transport.ts';
import {ConsoleRoot} from './ConsoleRoot.tsx';
import {applyDensity} from './hooks/use-density.ts';
import {applyTheme} from './hooks/use-theme.ts';
import {createEventStream} from './live/event-stream.ts';
import {createInvalidator} from './live/invalidate.ts';
import {createConsoleRouter} from './routes.tsx';
import './ui/theme.css';

applyTheme();
applyDensity();
await start();

async function start(): Promise<void> {
  const transport = await chooseTransport();
  const queryClient = createQueryClient();
  const stream = createEventStream(transport);
  const router = createConsoleRouter({transport, queryClient});
  stream.onBatch(createInvalidator(queryClient));
  onSignedOut(() => {
    const {href} = router.state.location;
    if (href.startsWith('/sign-in')) return;
    stream.stop();
    queryClient.clear();
    void router.navigate({to: '/sign-in', search: {next: href}});
  });

  const element = document.getElementById('root');
  if (!element) throw new Error('Cannot start the console: index.html has no #root');
  createRoot(element).render(
    <StrictMode>
      <ConsoleRoot
        transport={transport}
        queryClient={queryClient}
        stream={stream}
        router={router}
      />
    </StrictMode>,
  );
}

/** `?mock` in development: a server made of plain functions. The bundle has none of it. */
async function chooseTransport() {
  if (import.meta.env.DEV && new URLSearchParams(globalThis.location.search).has('mock')) {
    const {createMockTransport} = await import('./mock/transport.ts');
    return createMockTransport();
  }
  return createBrowserTransport();
}

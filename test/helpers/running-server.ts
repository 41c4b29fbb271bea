import type {DescService} from '@bufbuild/protobuf';
import type {Client} from '@connectrpc/connect';
import {printSetupLink} from '@muster/server/commands.ts';
import {bearer, startTestServer} from './test-server.ts';

export const administrator = {username: 'root', password: 'correct horse'};

export type RunningServer = Awaited<ReturnType<typeof startRunningServer>>;

/** A test server with an administrator. */
export async function startRunningServer(settings: Readonly<Record<string, string>> = {}) {
  await using stack = new AsyncDisposableStack();
  const server = stack.use(await startTestServer({settings}));
  const link = await printSetupLink(server.config);
  const setup = await fetch(`${server.url}/api/v1/setup`, {
    method: 'POST',
    body: JSON.stringify({code: /\/setup#(\S+)/.exec(link)?.[1] ?? '', ...administrator}),
  });
  if (!setup.ok) throw new Error(`Cannot make an administrator: ${await setup.text()}`);
  const asLocal = bearer(await server.localToken());
  const owned = stack.move();
  return {
    ...server,
    /** As the administrator of the machine that it runs on. */
    client: <T extends DescService>(service: T): Client<T> => server.client(service, asLocal),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

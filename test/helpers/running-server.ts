import {printSetupLink} from '@muster/server/commands.ts';
import {startTestServer} from './test-server.ts';

export const administrator = {username: 'root', password: 'correct horse'};

export type RunningServer = Awaited<ReturnType<typeof startRunningServer>>;

/** A test server with an administrator. */
export async function startRunningServer() {
  await using stack = new AsyncDisposableStack();
  const server = stack.use(await startTestServer());
  const link = await printSetupLink(server.config);
  const setup = await fetch(`${server.url}/api/v1/setup`, {
    method: 'POST',
    body: JSON.stringify({code: /\/setup#(\S+)/.exec(link)?.[1] ?? '', ...administrator}),
  });
  if (!setup.ok) throw new Error(`Cannot make an administrator: ${await setup.text()}`);
  const owned = stack.move();
  return {...server, [Symbol.asyncDispose]: () => owned.disposeAsync()};
}

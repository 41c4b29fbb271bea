import {once} from 'node:events';
import {createServer} from 'node:http';
import type {AddressInfo} from 'node:net';
import type {CompleteOidcLoginResponse} from '@muster/proto/gen/muster/v1/sessions_pb.ts';
import type {Context} from './context.ts';
import {CommandError} from './exit-status.ts';

const waitMs = 10 * 60_000;
const path = '/callback';

/** Signs in at the server's OpenID provider: the browser comes back to a port of this host that lives for that long only (RFC 8252). */
export async function loginInBrowser({
  clients,
  remark,
  signal,
}: Pick<Context, 'clients' | 'remark' | 'signal'>): Promise<CompleteOidcLoginResponse> {
  const returned = Promise.withResolvers<string>();
  const server = createServer((request, response) => {
    const url = request.url ?? '';
    const comesBack = url.startsWith(`${path}?`);
    response.writeHead(comesBack ? 200 : 404, {
      'content-type': 'text/plain; charset=utf-8',
      'referrer-policy': 'no-referrer',
      connection: 'close',
    });
    response.end(comesBack ? 'Go back to the terminal; this page can be closed.\n' : 'Not here\n');
    if (comesBack) returned.resolve(url);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const ended = AbortSignal.any([signal, AbortSignal.timeout(waitMs)]);
  ended.addEventListener('abort', () =>
    returned.reject(new CommandError('Nobody signed in within 10 minutes')),
  );
  try {
    const {authorizationUrl, loginSecret} = await clients.sessions.beginOidcLogin({
      redirectUrl: origin + path,
    });
    remark(`Open this in a browser on this host:\n\n  ${authorizationUrl}\n`);
    const callbackUrl = origin + (await returned.promise);
    return await clients.sessions.completeOidcLogin({loginSecret, callbackUrl});
  } finally {
    server.close();
    server.closeAllConnections();
  }
}

import {mkdtemp, readFile, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import type {DescService} from '@bufbuild/protobuf';
import {type Client, createClient} from '@connectrpc/connect';
import {createConnectTransport} from '@connectrpc/connect-node';
import {silentLogger as log} from '@muster/runtime/log.ts';
import {startServer} from '@muster/server/app.ts';
import {printSetupLink} from '@muster/server/commands.ts';
import {loadConfig} from '@muster/server/config.ts';
import {startPostgres} from './postgres.ts';
import {freePort} from './ports.ts';

export const administrator = {username: 'root', password: 'correct horse'};

/** The whole server on a database of its own, with an administrator, in this process. No NATS: it waits for one. */
export async function startRunningServer(settings: Readonly<Record<string, string>> = {}) {
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'muster-server-'));
  stack.defer(() => rm(folder, {recursive: true, force: true}));
  const postgres = stack.use(await startPostgres());
  const config = loadConfig({
    DATABASE_URL: postgres.url,
    NATS_URL: `127.0.0.1:${await freePort()}`,
    SERVER_HOST: '127.0.0.1',
    SERVER_PORT: '0',
    MASTER_KEY_FILE: join(folder, 'master.key'),
    IMAGE_STORE_DIR: join(folder, 'images'),
    LOCAL_TOKEN_FILE: join(folder, 'local-token'),
    ...settings,
  });
  const link = await printSetupLink(config);
  const {port} = stack.use(await startServer(config, log));
  const url = `http://127.0.0.1:${port}`;
  const setup = await fetch(`${url}/api/v1/setup`, {
    method: 'POST',
    body: JSON.stringify({code: /\/setup#(\S+)/.exec(link)?.[1] ?? '', ...administrator}),
  });
  if (!setup.ok) throw new Error(`Cannot make an administrator: ${await setup.text()}`);

  const localToken = async () => (await readFile(config.localTokenFile, 'utf8')).trim();
  const transport = createConnectTransport({
    baseUrl: url,
    httpVersion: '1.1',
    interceptors: [
      next => async request => {
        request.header.set('authorization', `Bearer ${await localToken()}`);
        return next(request);
      },
    ],
  });
  const owned = stack.move();
  return {
    /** For files of the test. */
    folder,
    databaseUrl: postgres.url,
    url,
    sql: postgres.sql,
    /** host:port */
    address: `127.0.0.1:${port}`,
    localToken,
    /** As the administrator of the machine that it runs on. */
    client: <T extends DescService>(service: T): Client<T> => createClient(service, transport),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

export type RunningServer = Awaited<ReturnType<typeof startRunningServer>>;

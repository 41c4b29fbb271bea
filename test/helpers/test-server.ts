import {mkdtemp, readFile, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import type {DescService} from '@bufbuild/protobuf';
import {type Client, createClient} from '@connectrpc/connect';
import {createConnectTransport} from '@connectrpc/connect-node';
import {silentLogger as log} from '@muster/runtime/log.ts';
import {startServer} from '@muster/server/app.ts';
import {loadConfig} from '@muster/server/config.ts';
import {startPostgres, type TestDatabases} from './postgres.ts';
import {freePort} from './ports.ts';

export type TestServer = Awaited<ReturnType<typeof startTestServer>>;

/** The whole server on a database of its own, in this process. No NATS: it waits for one at `natsAddress`. */
export async function startTestServer({
  settings = {},
  postgres,
}: {
  readonly settings?: Readonly<Record<string, string>>;
  /** Where several tests have databases; without it, one of its own. */
  readonly postgres?: TestDatabases;
} = {}) {
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'muster-server-'));
  stack.defer(() => rm(folder, {recursive: true, force: true}));
  const database = stack.use(await (postgres?.createDatabase() ?? startPostgres()));
  const natsAddress = `127.0.0.1:${await freePort()}`;
  const config = loadConfig({
    DATABASE_URL: database.url,
    NATS_URL: natsAddress,
    SERVER_HOST: '127.0.0.1',
    SERVER_PORT: '0',
    MASTER_KEY_FILE: join(folder, 'master.key'),
    IMAGE_STORE_DIR: join(folder, 'images'),
    LOCAL_TOKEN_FILE: join(folder, 'local-token'),
    ...settings,
  });
  const {port, tlsPort} = stack.use(await startServer(config, log));
  const address = `127.0.0.1:${port}`;
  const url = `http://${address}`;
  const owned = stack.move();
  return {
    /** For files of the test, too. */
    folder,
    config,
    databaseUrl: database.url,
    sql: database.sql,
    natsAddress,
    /** host:port */
    address,
    url,
    tlsUrl: `https://127.0.0.1:${tlsPort}`,
    localToken: async () => (await readFile(config.localTokenFile, 'utf8')).trim(),
    /** With these headers at each call. */
    client: <T extends DescService>(
      service: T,
      headers: Readonly<Record<string, string>> = {},
    ): Client<T> => createClient(service, transportWith(url, headers)),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Connect over HTTP/1.1, with these headers at each call. */
export const transportWith = (baseUrl: string, headers: Readonly<Record<string, string>>) =>
  createConnectTransport({
    baseUrl,
    httpVersion: '1.1',
    interceptors: [
      next => request => {
        for (const [name, value] of Object.entries(headers)) request.header.set(name, value);
        return next(request);
      },
    ],
  });

/** Nothing without a token. */
export const bearer = (token: string): Readonly<Record<string, string>> =>
  token === '' ? {} : {authorization: `Bearer ${token}`};

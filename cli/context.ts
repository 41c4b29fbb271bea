import process from 'node:process';
import type {Command} from 'commander';
import {type Clients, createClients} from './client.ts';
import {type Config, loadConfig, localTokenFile, parseUrl} from './config.ts';
import {CommandError, exitStatus} from './exit-status.ts';
import {createOutput, type Output} from './output.ts';

/** What every command works with. */
export type Context = {
  readonly config: Config;
  readonly serverUrl: string;
  readonly clients: Clients;
  readonly out: Output;
  /** Remarks that are not the result: on standard error, so that `--json` stays clean. */
  readonly remark: (text: string) => void;
  /** Ends streams at Ctrl-C and SIGTERM. */
  readonly signal: AbortSignal;
};

export type GlobalOptions = {
  readonly server?: string;
  readonly token?: string;
  readonly json?: boolean;
};

export function contextOf(command: Command): Context {
  const options = command.optsWithGlobals<GlobalOptions>();
  const config = loadConfig();
  const serverUrl = options.server ? parseServer(options.server) : config.serverUrl;
  const interrupted = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => interrupted.abort());
  return {
    config,
    serverUrl,
    clients: createClients({
      serverUrl,
      token: options.token ?? config.token,
      credentialsFile: config.credentialsFile,
      localTokenFile: localTokenFile(config.dataFolder),
      tls: {
        certificateFile: config.clientCertificateFile,
        keyFile: config.clientKeyFile,
        caFile: config.caFile,
      },
    }),
    out: createOutput(process.stdout, options.json === true),
    remark: text => void process.stderr.write(`${text}\n`),
    signal: interrupted.signal,
  };
}

function parseServer(text: string): string {
  try {
    return parseUrl(text);
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    throw new CommandError(`Cannot use --server: ${problem}`, exitStatus.usage);
  }
}

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** A machine is named by its id, its serial number or one of its MAC addresses. */
export async function machineIdOf({clients}: Context, name: string): Promise<string> {
  if (uuid.test(name)) return name.toLowerCase();
  const {machine} = await clients.machines.getMachine({id: name});
  if (!machine)
    throw new CommandError(`Cannot find machine "${name}": the server's answer was empty`);
  return machine.id;
}

const pageSizeMax = 1000;

/** All pages of a list, up to `limit` rows; says so when there are more. */
export async function collectPages<T>(
  context: Context,
  limit: number,
  fetchPage: (page: {pageSize: number; pageToken: string}) => Promise<{
    readonly rows: readonly T[];
    readonly nextPageToken: string;
  }>,
): Promise<readonly T[]> {
  const rows: T[] = [];
  let pageToken = '';
  do {
    const pageSize = Math.min(limit - rows.length, pageSizeMax);
    const page = await fetchPage({pageSize, pageToken});
    rows.push(...page.rows);
    pageToken = page.nextPageToken;
  } while (pageToken !== '' && rows.length < limit);
  if (pageToken !== '') context.remark(`There are more: --limit ${limit} ended the list`);
  return rows;
}

/** For commander: the value of --limit. */
export function parseLimit(text: string): number {
  const limit = Number(text);
  if (!Number.isInteger(limit) || limit < 1 || limit > 100_000)
    throw new CommandError(`Cannot use --limit "${text}": say a number from 1 to 100000`, 2);
  return limit;
}

import {loadavg} from 'node:os';
import {stdout} from 'node:process';
import type {ParseArgsOptionsConfig} from 'node:util';
import {MachineService} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {SessionService} from '@muster/proto/gen/muster/v1/sessions_pb.ts';
import {type Database, openDatabase} from '@muster/server/store/db.ts';
import {openWindow, signIn, startChromium} from '../helpers/chromium.ts';
import {noteFirst} from '../helpers/list-watch.ts';
import {insertMachines} from '../helpers/many-machines.ts';
import type {Muster} from '../helpers/muster.ts';
import {administrator} from '../helpers/running-server.ts';
import {benchList} from './console-list.ts';
import {openFlood} from './label-flood.ts';
import {print} from './measure.ts';
import {allTakenIn, assertFilesFor, startFleetMuster, startSimulator} from './simulated-fleet.ts';

export const consoleOptions = {
  machines: {type: 'string'},
  /** In all, at the second measurement; 0 leaves that one out. */
  rows: {type: 'string', default: '100000'},
  rate: {type: 'string'},
} as const satisfies ParseArgsOptionsConfig;

export type ConsoleOptions = {
  /** 0: nobody is simulated, and there is no first measurement. */
  readonly machines?: string;
  readonly rows: string;
  readonly rate?: string;
};

const machinesDefault = 10_000;
/** What two cores take in that do other things, too. */
const rateDefault = 15;
/** Modest: the list is measured, not the intake of samples (`fleet` does that). */
const everySeconds = 60;

/** The console in Chromium over a real server with a simulated fleet, then with rows of the database beside it. */
export async function benchConsole(options: ConsoleOptions): Promise<void> {
  const machines = Number(options.machines ?? machinesDefault);
  const rows = Number(options.rows);
  const rate = Number(options.rate ?? rateDefault);
  if (!(machines >= 0 && rows >= 0 && machines + rows > 0 && (rows === 0 || rows >= machines)))
    throw new Error('Cannot run this: say for example --machines 200 --rows 5000');
  assertFilesFor(machines);
  await using muster = await startFleetMuster(machines);
  await using stack = new AsyncDisposableStack();
  const sql = stack.adopt(openDatabase(muster.postgres.url), database =>
    database.end({timeout: 1}),
  );
  if (machines > 0) {
    const since = performance.now();
    stack.use(startSimulator(muster, {machines, everySeconds, rate}));
    await allTakenIn(muster, machines);
    stdout.write(`  enrolled after ${((performance.now() - since) / 60_000).toFixed(1)} min\n`);
    await measure(muster, {sql, count: machines, what: `${machines} simulated machines`});
  }
  if (rows === 0) return;
  await insertMachines(sql, rows - machines);
  const what = `${rows} rows: ${machines} simulated machines and ${rows - machines} added in the database`;
  await measure(muster, {sql, count: rows, what});
}

/** Nothing is told about another number of machines than was asked for. */
async function measure(
  muster: Muster,
  {sql, count, what}: {readonly sql: Database; readonly count: number; readonly what: string},
): Promise<void> {
  stdout.write(`  ${what} (load ${loadavg()[0]?.toFixed(1)})\n`);
  const [row] = await sql<{count: number}[]>`select count(*)::int as count from machines`;
  const {totalSize, totalEstimated} = await muster
    .client(MachineService)
    .listMachines({pageSize: 1, countTotal: true, exactTotal: true});
  const isRight = row?.count === count && totalSize === BigInt(count) && !totalEstimated;
  print({
    what: 'machines, by the database and by the API',
    value: `${row?.count}, ${totalEstimated ? 'about ' : ''}${totalSize}`,
    limit: `${count}`,
    met: isRight,
  });
  if (!isRight) throw new Error(`Measured nothing: there are not ${count} machines`);

  const flood = await openFlood(muster);
  await using browser = await startChromium();
  await using window = await openWindow(browser, {url: muster.serverUrl});
  const {page} = window;
  await makeAdministrator(muster);
  await signIn(page, administrator);
  await page.addInitScript(noteFirst);
  await benchList({page, flood, count});
}

/** Once: a second time the name is taken, and the first is as good. */
async function makeAdministrator({client, serverUrl, postgres: {sql}}: Muster): Promise<void> {
  const [known] = await sql`select from users where username = ${administrator.username}`;
  if (known) return;
  const {path} = await client(SessionService).createSetupLink({});
  const setup = await fetch(`${serverUrl}/api/v1/setup`, {
    method: 'POST',
    body: JSON.stringify({code: /\/setup#(\S+)/.exec(path)?.[1] ?? '', ...administrator}),
  });
  if (!setup.ok) throw new Error(`Cannot make an administrator: ${await setup.text()}`);
}

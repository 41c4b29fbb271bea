// `npm run screenshots`: the pictures of README.md and docs/, of a real server with simulated machines. Takes two minutes.
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {mkdirSync} from 'node:fs';
import {execPath} from 'node:process';
import {BuildService} from '@muster/proto/gen/muster/v1/builds_pb.ts';
import {MachineService} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {SessionService} from '@muster/proto/gen/muster/v1/sessions_pb.ts';
import {openWindow, phone, signIn, startChromium} from '../test/helpers/chromium.ts';
import {startContractBuilder} from '../test/helpers/contract-builder.ts';
import {type Muster, startMuster} from '../test/helpers/muster.ts';
import {until} from '../test/helpers/processes.ts';

const folder = 'docs/images';
const machineCount = 60;
const builtCount = 12;
/** Long enough for charts to have lines. */
const samplesMs = 60_000;
/** Numbers of a page that come one after the other. */
const settleMs = 2_000;
const ada = {username: 'ada', password: 'correct horse battery'};

mkdirSync(folder, {recursive: true});
await using muster = await startMuster();
await using builder = await startContractBuilder(muster, 'builder-2');
void builder;
const sessions = muster.client(SessionService);
const {path} = await sessions.createSetupLink({});
await sessions.completeSetup({code: path.split('#')[1] ?? '', ...ada});
const id = await fill(muster);

await using browser = await startChromium();
for (const [name, address, options] of [
  ['overview', '/', {}],
  ['machines', '/machines?order=hostname', {}],
  ['machine', `/machines/${id}`, {}],
  ['metrics', `/machines/${id}/metrics`, {colorScheme: 'dark'}],
  ['phone', `/machines/${id}`, {viewport: phone}],
] as const) {
  await using window = await openWindow(browser, {url: muster.serverUrl, ...options});
  const {page} = window;
  await signIn(page, ada);
  await page.goto(address);
  await page.getByRole('heading', {level: 1}).waitFor();
  await page.waitForLoadState('load');
  await page.getByText('Live', {exact: true}).waitFor();
  await page.waitForTimeout(settleMs);
  await page.locator('.skeleton, .table-row[aria-busy]').first().waitFor({state: 'detached'});
  await page.screenshot({path: `${folder}/console-${name}.png`});
  console.log(`${folder}/console-${name}.png`);
}

/** Machines that run, some of them in images of their own. Gives one of those. */
async function fill(muster: Muster): Promise<string> {
  const machines = muster.client(MachineService);
  const child = spawn(
    execPath,
    [
      'cli/main.ts',
      'simulate',
      '--machines',
      String(machineCount),
      '--every',
      '5s',
      '--faults',
      'failing-disk=5%',
    ],
    {
      env: {
        PATH: process.env.PATH,
        SERVER_URL: muster.serverUrl,
        EDGE_HTTP_PORT: new URL(muster.edgeUrl).port,
        MUSTER_DATA_DIR: muster.folder,
      },
      stdio: 'ignore',
    },
  );
  const ended = once(child, 'close');
  muster.defer(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  const count = async (filter: string) =>
    (await machines.listMachines({filter, pageSize: 1000})).machines;
  const enrolled = await until(
    'the machines',
    async () => {
      const found = await count('state = ENROLLED');
      return found.length === machineCount && found;
    },
    samplesMs * 2,
  );
  for (const [index, machine] of enrolled.entries()) {
    const hostname = `node-${String(index + 1).padStart(2, '0')}`;
    await machines.updateMachine({
      machine: {
        id: machine.id,
        hostname,
        labels: {rack: `r${(index % 4) + 1}`},
        imageConfig: {hostName: hostname, packages: ['nginx-light']},
      },
      updateMask: {paths: ['hostname', 'labels', 'image_config']},
    });
    if (index < builtCount) await muster.client(BuildService).createBuild({machineId: machine.id});
  }
  await until(
    'machines in service',
    async () => (await count('state = ACTIVE')).length >= builtCount - 1,
    samplesMs * 2,
  );
  await new Promise(resolve => setTimeout(resolve, samplesMs));
  const [active] = await count('state = ACTIVE');
  if (!active) throw new Error('Cannot take pictures: no machine is ACTIVE');
  return active.id;
}

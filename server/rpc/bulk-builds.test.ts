import {Code, ConnectError} from '@connectrpc/connect';
import {CreateBulkRequest_Operation as Action} from '@muster/proto/gen/muster/v1/bulk_pb.ts';
import test from 'ava';
import {createTestMachine, imageConfig} from '../../test/helpers/builds.ts';
import {createTestBulks} from '../../test/helpers/bulks.ts';
import {postgresOf} from '../../test/helpers/postgres.ts';
import {openDatabase} from '../store/db.ts';

/** Fewer than lanes of a bulk operation, and far fewer than calls: whoever needs a second one beside their transaction waits for ever. */
const connectionsMax = 2;
const machinesCount = 12;
const timeLimitMs = 60_000;

const postgres = postgresOf(test);

/** Machines whose groups, one by hand and one by a rule, have a part in what is built. */
async function setUp() {
  await using stack = new AsyncDisposableStack();
  const {url} = stack.use(await postgres.createDatabase());
  const sql = stack.adopt(openDatabase(url, connectionsMax), open => open.end({timeout: 1}));
  const app = stack.use(await createTestBulks(sql));
  const bootProfile = {
    kernelArguments: ['quiet'],
    serialConsole: '',
    packages: ['htop'],
    sshAuthorizedKeys: [],
  };
  const group = {description: '', tags: [], priority: 0, templates: [], bootProfile};
  await app.groups.create('local', {...group, name: 'by-rule', filter: 'state = ENROLLED'});
  const {id: groupId} = await app.groups.create('local', {...group, name: 'by-hand', filter: ''});
  const machineIds: string[] = [];
  for (let count = 0; count < machinesCount; count += 1) {
    const machineId = await createTestMachine(sql, 'enrolled', {
      imageConfig: {...imageConfig, packages: []},
    });
    await app.groups.add('local', groupId, machineId);
    machineIds.push(machineId);
  }
  const owned = stack.move();
  return {...app, sql, machineIds, [Symbol.asyncDispose]: () => owned.disposeAsync()};
}

test('a bulk build with more lanes than connections builds each machine once', async t => {
  t.timeout(timeLimitMs);
  await using app = await setUp();
  const {operation} = await app.bulk.createBulk({
    machineIds: app.machineIds,
    operation: Action.BUILD,
    concurrency: machinesCount,
  });
  await app.drive(operation?.id ?? '');
  t.like((await app.get(operation?.id ?? '')).children, {running: machinesCount});
  const builds = await app.sql<{machineId: string; packages: string}[]>`
    select machine_id, image_config ->> 'packages' as packages from builds where live
  `;
  t.deepEqual(builds.map(({machineId}) => machineId).sort(), [...app.machineIds].sort());
  t.true(builds.every(({packages}) => packages.includes('htop')));
});

test('more calls of createBuild than connections are all answered, and one machine has one build', async t => {
  t.timeout(timeLimitMs);
  await using app = await setUp();
  const calls = [...app.machineIds, ...app.machineIds].map(machineId =>
    app.client.createBuild({machineId}).then(
      ({build}) => build?.machineId,
      (error: unknown) => ConnectError.from(error).code,
    ),
  );
  const answers = await Promise.all(calls);
  t.deepEqual(
    answers.filter(answer => typeof answer === 'string').sort(),
    [...app.machineIds].sort(),
  );
  t.is(answers.filter(answer => answer === Code.AlreadyExists).length, machinesCount);
});

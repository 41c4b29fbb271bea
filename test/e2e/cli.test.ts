import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {delimiter, join} from 'node:path';
import {createInterface} from 'node:readline';
import test from 'ava';
import {Machine_State, MachineService} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {startContractBuilder} from '../helpers/contract-builder.ts';
import {type Muster, natsServer, startMuster} from '../helpers/muster.ts';
import {createProcessMachine} from '../helpers/process-machine.ts';
import {until} from '../helpers/processes.ts';

const command = new URL('../../cli/bin/muster.js', import.meta.url).pathname;
const password = 'correct horse battery';
const serial = 'CLI 7/A&B';
const mac = '52:54:00:00:00:07';

/** Any Node of this machine, as a user has it: not the checkout's own. */
const path = (process.env.PATH ?? '')
  .split(delimiter)
  .filter(folder => !folder.includes('node_modules'))
  .join(delimiter);

type Answer = {readonly status: number; readonly stdout: string; readonly stderr: string};

/** `muster` with a home of its own: nobody is logged in, and the local token is found only by `asRoot`. */
function user(muster: Muster, name: string, {asRoot = false} = {}) {
  const env = {
    PATH: path,
    SERVER_URL: muster.serverUrl,
    MUSTER_DATA_DIR: asRoot ? muster.folder : '/nonexistent',
    MUSTER_CREDENTIALS_FILE: join(muster.folder, `${name}.json`),
  };
  const start = (args: readonly string[]) =>
    spawn('node', [command, ...args], {env, stdio: ['pipe', 'pipe', 'pipe']});

  return {
    start,
    async run(args: readonly string[], input = ''): Promise<Answer> {
      const child = start(args);
      const output = Promise.all([
        Array.fromAsync(child.stdout as AsyncIterable<Buffer>),
        Array.fromAsync(child.stderr as AsyncIterable<Buffer>),
      ]);
      child.stdin.end(input);
      const [status] = (await once(child, 'close')) as [number];
      const [stdout, stderr] = (await output).map(chunks => Buffer.concat(chunks).toString());
      return {status, stdout: stdout ?? '', stderr: stderr ?? ''};
    },
  };
}
type User = ReturnType<typeof user>;

let muster: Muster;
test.before(async () => {
  muster = await startMuster({serverEnv: {ACCEPTANCE_POLICY: 'approve'}});
});
test.after.always(() => muster[Symbol.asyncDispose]());

/** What it printed, when it ended well. */
async function said({run}: User, args: readonly string[], input = ''): Promise<string> {
  const {status, stdout, stderr} = await run(args, input);
  if (status !== 0) throw new Error(`muster ${args.join(' ')} ended with ${status}: ${stderr}`);
  return stdout;
}

const json = async (who: User, args: readonly string[]): Promise<unknown> =>
  JSON.parse(await said(who, [...args, '--json']));

/** A stream until it said something; then Ctrl-C, after which it has to end well. */
async function watch({start}: User, args: readonly string[], awaited: RegExp): Promise<number> {
  const child = start(args);
  const exit = once(child, 'exit');
  child.stderr.pipe(process.stderr);
  for await (const line of createInterface({input: child.stdout})) if (awaited.test(line)) break;
  child.stdout.resume();
  child.kill('SIGINT');
  const [status] = (await exit) as [number];
  return status;
}

test.serial('an operator takes a machine from its first boot to service', async t => {
  const root = user(muster, 'root', {asRoot: true});
  const oscar = user(muster, 'oscar');
  await using builder = await startContractBuilder(muster, 'b1');
  void builder;
  await said(root, 'users create oscar --role operator --password-stdin'.split(' '), password);
  t.regex(
    await said(oscar, ['login', 'oscar', '--password-stdin'], password),
    /^Logged in at .* as oscar \(operator\)\n$/,
  );

  const watched = watch(oscar, ['machines', 'watch'], /machine\.active .* ACTIVE +ONLINE/);
  const machine = await createProcessMachine(muster, 'cli', {mac, serial});
  const script = await until('a registration image', async () => {
    const text = await machine.fetchScript();
    return text.includes('/boot/token.cpio') && text;
  });
  t.regex(await said(oscar, ['boot', 'timeline', mac]), /OPEN\n +\+\d\.\d s +boot script/);
  await machine.runScript(script);
  const reach = (state: Machine_State) =>
    until(`state ${state}`, async () => {
      const {machine} = await muster.client(MachineService).getMachine({id: mac});
      return machine?.state === state;
    });
  await reach(Machine_State.PENDING);
  const early = await oscar.run(['build', 'start', serial]);
  t.is(early.status, 1);
  t.regex(early.stderr, /neither image_config nor nixos_config/);

  t.regex(await said(oscar, ['machines', 'accept', serial]), /^state +ENROLLED$/m);
  const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEx oscar';
  const change = ['--hostname', 'web1', '--package', 'nginx', '--ssh-key', key];
  await said(oscar, ['machines', 'update', serial, ...change]);
  await said(oscar, ['machines', 'update', serial, '--package', 'nginx', 'htop']);
  t.like(await json(oscar, ['machines', 'get', serial]), {
    hostname: 'web1',
    imageConfig: {packages: ['nginx', 'htop'], sshAuthorizedKeys: [key]},
  });

  const built = await said(oscar, ['build', 'start', serial, '--watch']);
  t.regex(built, /^-- RUNNING layers$/m);
  t.regex(built, /\[#{24}\] 100 % {2}SUCCEEDED/);
  await until('the reboot', async () => (await machine.log()).includes('reboot'));
  t.regex(
    await said(oscar, ['boot', 'explain', serial]),
    /^decision +image [0-9a-f]{64}\nbecause +It is ready: this is its desired image\n\nRules in order:\n( {2}\w.*\n)+$/m,
  );
  await machine.boot();
  await reach(Machine_State.ACTIVE);
  t.is(await watched, 0);

  t.regex(
    await said(oscar, ['boot', 'timeline', serial, '--limit', '1']),
    /^[\d :-]+ {2}COMPLETED {2}image [0-9a-f]{12}\n( +\+\d+\.\d s {2}(boot|kernel|initrd|enrolled|agent).*\n)+ +Booted: the agent said hello/,
  );
  const metrics = await until('metrics', () => said(oscar, ['metrics', 'latest', serial]));
  t.regex(metrics, /^memory +[\d.]+ \w+ of [\d.]+ \w+$/m);
  const devices = await said(oscar, ['metrics', 'devices', serial]);
  t.regex(devices, /^agent .* memory, [\d.]+ s CPU, \d+ samples waiting, 0 dropped$/m);
  const steps = await said(oscar, ['metrics', 'history', serial, '--step', '1m']);
  t.regex(steps, /^TIME .* SAMPLES\n\d{4}-\d\d-\d\d \d\d:\d\d:00 .* \d+$/m);
});

test.serial('every list is a table that aligns, and one JSON document with --json', async t => {
  const root = user(muster, 'root', {asRoot: true});
  const lists: readonly (readonly [string, RegExp])[] = [
    ['machines list', /CLI 7\/A&B +52:54:00:00:00:07 +web1 +ACTIVE +ONLINE/],
    ['build list', /machine virtual +debian .* SUCCEEDED/],
    ['images list', /registration +virtual +debian .* BIOS ok, UEFI ok/],
    ['service list', /builder +b1 +(online|offline)/],
    ['users list', /oscar +operator/],
    ['operations list', /build +SUCCEEDED +100/],
  ];
  await Promise.all(
    lists.map(async ([words, row]) => {
      const args = words.split(' ');
      const [text, documents] = await Promise.all([said(root, args), json(root, args)]);
      const [head = '', ...rows] = text.trimEnd().split('\n');
      t.true(
        rows.some(line => row.test(line)),
        `${words}: ${text}`,
      );
      // A column begins where its title does: a blank before, something at it.
      for (const {index} of head.matchAll(/(?<= {2})\S/g))
        for (const line of rows) t.regex(line.slice(index - 1), /^ \S/, `${words}: ${line}`);
      t.true(Array.isArray(documents) && documents.length === rows.length, words);
    }),
  );
  const single = ['machines get', 'boot explain', 'hardware get', 'metrics latest'];
  await Promise.all(
    single.map(async words => {
      t.is(typeof (await json(root, [...words.split(' '), serial])), 'object', words);
    }),
  );
});

test.serial('events are listed, and followed until Ctrl-C', async t => {
  const root = user(muster, 'root', {asRoot: true});
  const events = await said(root, ['events', 'list', '--machine', mac]);
  t.regex(
    events,
    /^ +\d+ {2}[\d :-]+ {2}machine\.active +agent:\S+ {2}from=ready reason="It runs/m,
  );
  t.true(Array.isArray(await json(root, ['events', 'list'])));
  const replay = ['events', 'watch', '--after', '0', '--type', 'machine.', '--json'];
  t.is(await watch(root, replay, /^\{.*"type":"machine\.active".*\}$/), 0);
});

test.serial(
  'an administrator lets services and people in, and gets a nats-server going',
  async t => {
    const root = user(muster, 'root', {asRoot: true});
    t.regex(
      await said(root, ['service', 'add', 'edge', 'rack7']),
      /^Join code of edge "rack7", until .*\n\n {2}(\S+)\n\nOn its host, in a checkout:\n {2}SERVER_URL=http:\/\/(?!127\.)\S+ JOIN_CODE=\1 node_modules\/\.bin\/node ipxe\/main\.ts\n$/,
    );
    t.regex(await said(root, ['admin', 'setup-link']), /^ {2}http:\/\/\S+\/setup#\S+$/m);

    const folder = join(muster.folder, 'own-nats');
    await said(root, ['nats', 'config', folder]);
    const checked = spawn(natsServer, ['-t', '-c', join(folder, 'nats.conf')]);
    const complaint = Array.fromAsync(checked.stderr as AsyncIterable<Buffer>);
    t.deepEqual(await once(checked, 'close'), [0, null], String(await complaint));
  },
);

test.serial('the exit status tells what went wrong', async t => {
  const root = user(muster, 'root', {asRoot: true});
  await said(root, 'users create vera --role viewer --password-stdin'.split(' '), password);
  const vera = user(muster, 'vera');
  await said(vera, ['login', 'vera', '--password-stdin'], `${password}\n`);
  const cases: readonly (readonly [User, string, number, RegExp])[] = [
    [vera, 'machines update 52:54:00:00:00:07 --hostname x', 4, /role "operator" or "admin"/],
    [vera, 'users list', 4, /role "admin"/],
    [user(muster, 'nobody'), 'machines list', 4, /log in with "muster login"|sign in/],
    [vera, 'machines get nobody', 5, /^Cannot find machine "nobody"\n$/],
    [vera, 'build watch 0198c0de-0000-7000-8000-000000000001', 5, /^Cannot find build/],
    [vera, 'build watch nonsense', 2, /UUID/],
    [vera, 'machines update nobody', 2, /--package/],
    [vera, 'machines list --colour', 2, /unknown option '--colour'/],
    [vera, 'login vera', 2, /--password-stdin/],
    [vera, 'machines list --server nonsense', 2, /"nonsense" is not a URL/],
    [vera, 'machines list --server http://127.0.0.1:9', 3, /Cannot reach the server/],
  ];
  await Promise.all(
    cases.map(async ([who, words, status, sentence]) => {
      const answer = await who.run(words.split(' '));
      t.is(answer.status, status, `${words}: ${answer.stderr}`);
      t.is(answer.stdout, '', words);
      t.regex(answer.stderr, sentence);
    }),
  );
});

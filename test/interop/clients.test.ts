import {cp, mkdir} from 'node:fs/promises';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {exportProtos, prepareGo, preparePython, run} from '../helpers/client-toolchains.ts';
import {administrator, type RunningServer, startRunningServer} from '../helpers/running-server.ts';

/** A first run downloads; later ones take seconds. */
const toolchainTimeoutMs = 300_000;
const sources = new URL('clients/', import.meta.url).pathname;

let server: RunningServer;
let protos: string;
test.before(async () => {
  server = await startRunningServer();
  protos = join(server.folder, 'protos');
  await exportProtos(protos);
});
test.after.always(() => server[Symbol.asyncDispose]());

const argumentsOf = (serviceTag: string) => [
  ...[server.address, administrator.username, administrator.password],
  serviceTag,
];

type Codes = {readonly missing: string; readonly invalid: string; readonly anonymous: string};

/** What every client must have seen; each language has its own names of codes. */
function assertSeen(t: ExecutionContext, output: string, tag: string, codes: Codes) {
  t.deepEqual(JSON.parse(output), {
    role: 'ROLE_ADMIN',
    state: 'STATE_EXPECTED',
    hostname: 'generated',
    // Not in the update mask.
    description: '',
    listed: [tag],
    event: {type: 'machine.expected', actor: 'user:root', same_machine: true},
    missing: {
      code: codes.missing,
      message: 'Cannot find machine "nobody"',
      names_field: false,
    },
    invalid: {
      code: codes.invalid,
      message:
        'Cannot call ListMachines: "page_size" must be greater than or equal to 0 and less than or equal to 1000',
      names_field: true,
    },
    anonymous: {
      code: codes.anonymous,
      message:
        'Cannot call GetMachine without a token: sign in and send "Authorization: Bearer <token>"',
      names_field: false,
    },
  });
}

test('a client generated for Python (grpcio) works', async t => {
  t.timeout(toolchainTimeoutMs);
  const python = await preparePython();
  const folder = join(server.folder, 'python');
  await mkdir(folder);
  await cp(join(sources, 'python/main.py'), join(folder, 'main.py'));
  const files = (await run(['find', '.', '-name', '*.proto'], {cwd: protos})).trim().split('\n');
  const out = ['--python_out', '--grpc_python_out'].map(option => `${option}=${folder}`);
  await run([python, '-m', 'grpc_tools.protoc', '-I.', ...out, ...files], {cwd: protos});

  const tag = 'CLIENT-PY7';
  const output = await run([python, 'main.py', ...argumentsOf(tag)], {cwd: folder});
  assertSeen(t, output, tag, {
    missing: 'NOT_FOUND',
    invalid: 'INVALID_ARGUMENT',
    anonymous: 'UNAUTHENTICATED',
  });
});

test('a client generated for Go (grpc-go) works', async t => {
  t.timeout(toolchainTimeoutMs);
  const env = await prepareGo();
  const folder = join(server.folder, 'go');
  await cp(join(sources, 'go'), folder, {recursive: true});
  const buf = new URL('../../node_modules/.bin/buf', import.meta.url).pathname;
  await run([buf, 'generate', protos, '--template', 'buf.gen.yaml'], {cwd: folder, env});
  await run(['go', 'build', '-o', 'client', '.'], {cwd: folder, env});

  const tag = 'CLIENT-GO7';
  const output = await run(['./client', ...argumentsOf(tag)], {cwd: folder, env});
  assertSeen(t, output, tag, {
    missing: 'NotFound',
    invalid: 'InvalidArgument',
    anonymous: 'Unauthenticated',
  });
});

import {execFile} from 'node:child_process';
import {createHash} from 'node:crypto';
import {existsSync} from 'node:fs';
import {mkdir, mkdtemp, readFile, rename, rm} from 'node:fs/promises';
import {join} from 'node:path';
import {env, execPath} from 'node:process';
import {promisify} from 'node:util';

const execute = promisify(execFile);
/** Downloads included. */
const commandTimeoutMs = 240_000;
const outputBytesMax = 16 * 1024 * 1024;
/** Kept between runs, as that of the builder; delete it to install anew. */
const cacheFolder = '/var/cache/muster-test';
const root = new URL('../..', import.meta.url).pathname;
const clients = join(root, 'test/interop/clients');
const goPlugins = [
  'google.golang.org/protobuf/cmd/protoc-gen-go',
  'google.golang.org/grpc/cmd/protoc-gen-go-grpc',
];

type Run = {readonly cwd?: string; readonly env?: Readonly<Record<string, string>>};

/** Standard output. The error has all that the command said. */
export async function run(command: readonly string[], options: Run = {}): Promise<string> {
  const [program = '', ...args] = command;
  try {
    const {stdout} = await execute(program, args, {
      cwd: options.cwd ?? root,
      env: {...env, ...options.env},
      timeout: commandTimeoutMs,
      maxBuffer: outputBytesMax,
    });
    return stdout;
  } catch (error) {
    const {
      code,
      stdout = '',
      stderr = '',
    } = error as {code?: unknown; stdout?: string; stderr?: string};
    const hint =
      code === 'ENOENT' ? 'it is not installed; "npm test" installs it on Debian 12' : '';
    throw new Error(`Cannot run "${command.join(' ')}": ${hint}\n${stdout}${stderr}`, {
      cause: error,
    });
  }
}

/** The contract and all it imports as one tree, as docs/clients.md tells people to make it. */
export const exportProtos = (folder: string) => run([execPath, 'scripts/export-protos.ts', folder]);

/** A Python with grpcio and grpcio-tools. */
export async function preparePython(): Promise<string> {
  const requirements = join(clients, 'python/requirements.txt');
  const version = await run(['python3', '--version']);
  const key = [version, await readFile(requirements, 'utf8')];
  const folder = await cached('python', key, async target => {
    await run(['python3', '-m', 'venv', target]);
    const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check'];
    // Wheels only: nothing is compiled.
    await run([join(target, 'bin/python'), ...pip, '--only-binary=:all:', '-r', requirements]);
  });
  return join(folder, 'bin/python');
}

/** The environment of the Go tools, with the plugins of protoc in the PATH. */
export async function prepareGo(): Promise<Readonly<Record<string, string>>> {
  const environment = {
    GOMODCACHE: join(cacheFolder, 'go/modules'),
    GOCACHE: join(cacheFolder, 'go/build'),
    // Without the path of the test's folder in it, the build cache serves every run.
    GOFLAGS: '-modcacherw -trimpath',
    GOTOOLCHAIN: 'local',
    CGO_ENABLED: '0',
  };
  const cwd = join(clients, 'go');
  const version = await run(['go', 'version'], {env: environment});
  const key = [version, await readFile(join(cwd, 'go.mod'), 'utf8')];
  const folder = await cached('go-plugins', key, async target => {
    // In the versions of go.mod, checked by go.sum.
    await run(['go', 'build', '-o', `${target}/`, ...goPlugins], {cwd, env: environment});
  });
  return {...environment, PATH: `${folder}:${env.PATH}`};
}

/** A folder that `make` fills once per key. Whole or not there: an interrupted run leaves nothing that a later one would take. */
async function cached(
  name: string,
  key: readonly string[],
  make: (folder: string) => Promise<void>,
): Promise<string> {
  const digest = createHash('sha256').update(JSON.stringify(key)).digest('hex').slice(0, 16);
  const folder = join(cacheFolder, `${name}-${digest}`);
  if (existsSync(folder)) return folder;

  await mkdir(cacheFolder, {recursive: true});
  const partial = await mkdtemp(join(cacheFolder, `partial-${name}-`));
  try {
    await make(partial);
    // Another run may have been faster; what it made is as good.
    await rename(partial, folder).catch((error: unknown) => {
      if (!existsSync(folder)) throw error;
    });
  } finally {
    await rm(partial, {recursive: true, force: true});
  }
  return folder;
}

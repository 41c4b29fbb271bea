// The real Nix builds the stand-in system; server and edge are real processes; the real Nix fetches it as on a machine.
import {execFile} from 'node:child_process';
import {once} from 'node:events';
import {readdir, readFile, writeFile} from 'node:fs/promises';
import http from 'node:http';
import type {AddressInfo} from 'node:net';
import path from 'node:path';
import {promisify} from 'node:util';
import type {Depot} from '@muster/builder/backends/backend.ts';
import {type BinaryCache, openBinaryCache} from '@muster/builder/backends/nix/binary-cache.ts';
import {createNixBackend} from '@muster/builder/backends/nix/nix.ts';
import {loadSigningKey} from '@muster/builder/backends/nix/signing-key.ts';
import {
  type NixLab,
  recordContext,
  specOf,
  startNixLab,
} from '@muster/builder/backends/nix/testing/nix-lab.ts';
import {loadIdentity} from '@muster/builder/identity.ts';
import {createImageStore} from '@muster/builder/image-store.ts';
import {openServerSession} from '@muster/builder/server-session.ts';
import {BuildService} from '@muster/proto/gen/muster/v1/builds_pb.ts';
import {Image_Variant} from '@muster/proto/gen/muster/v1/images_pb.ts';
import {Service_Kind, ServiceService} from '@muster/proto/gen/muster/v1/services_pb.ts';
import {createOutages, silentLogger} from '@muster/runtime/log.ts';
import test from 'ava';
import {type Muster, startMuster} from '../helpers/muster.ts';

const run = promisify(execFile);
const nixTimeLimitMs = 120_000;
const gibibyte = 1024 ** 3;

const stack = new AsyncDisposableStack();
let muster: Muster;
let lab: NixLab;
let cache: BinaryCache;
let depot: Depot;
/** Of the site, as a builder is told with each build. */
let publicKey: string;
let toplevel: string;

test.before(async () => {
  muster = stack.use(await startMuster());
  lab = stack.use(await startNixLab());
  cache = await openBinaryCache(lab.settings.stateDirectory, gibibyte);
  await joinAsBuilder();
  toplevel = await buildAndPublish('web');
});
test.after.always(() => stack.disposeAsync());

async function joinAsBuilder(): Promise<void> {
  const {serverUrl} = muster;
  const {code: joinCode} = await muster
    .client(ServiceService)
    .createJoinCode({kind: Service_Kind.BUILDER, name: 'nix-1'});
  const stateDirectory = path.join(lab.directory, 'builder');
  const session = await openServerSession(
    {serverUrl, stateDirectory, joinCode},
    await loadIdentity(stateDirectory),
    {
      signal: new AbortController().signal,
      log: silentLogger,
      outages: createOutages(silentLogger),
    },
  );
  stack.use(session.connection);
  const {storePaths, authorize} = session;
  depot = {storePaths, imageStore: createImageStore(serverUrl, authorize)};

  await session.services.reportService({backends: [{name: 'debian', available: true}]});
  const {build} = await muster
    .client(BuildService)
    .createRegistrationBuild({variant: Image_Variant.VIRTUAL});
  const {spec} = await session.builds.claimBuild({buildId: build?.id ?? ''});
  publicKey = spec?.nixCachePublicKey ?? '';
}

/** What a builder does, up to the boot test and from there on. Gives the system's store path; it is gone from the builder's own store then. */
async function buildAndPublish(hostName: string, context = recordContext()): Promise<string> {
  const backend = createNixBackend({
    ...lab.settings,
    binaryCache: cache,
    publishBytesMax: gibibyte,
  });
  // Two paths: the system refers to a file.
  const nixosConfig = `{...}: {
    networking.hostName = "${hostName}";
    build.inputs = ["\${builtins.toFile "motd-${hostName}" "welcome to ${hostName}"}"];
    build.script = "mkdir -p $out; echo $inputs > $out/motd";
  }`;
  const spec = specOf(nixosConfig, {nixCachePublicKey: publicKey});
  const plan = await backend.plan(spec, context);
  const image = await plan.build(await lab.artifacts(), context);
  const named = await readFile(image.initrds[1]?.path ?? '', 'utf8');
  if (!named.includes(`"nix_cache":{"public_key":"${publicKey}"}`))
    throw new Error('The image names no key');
  await plan.publish?.(depot, context);
  return /init=(\S+)\/init/.exec(image.commandLine)?.[1] ?? '';
}

let clients = 0;

/** A machine: an empty store with the builder's prefix, which trusts these keys. */
async function fetchSystem(
  options: {url?: string; trusted?: string; system?: string} = {},
): Promise<{readonly root: string; readonly error: string}> {
  clients += 1;
  const root = path.join(lab.directory, `client-${clients}`);
  const {variables, storePrefix} = await lab.store.environment(new AbortController().signal);
  const {url = muster.edgeUrl, trusted = publicKey, system = toplevel} = options;
  const env = {
    ...variables,
    NIX_STORE_DIR: storePrefix,
    NIX_STATE_DIR: path.join(root, 'var'),
    HOME: path.join(root, 'home'),
    NIX_CONFIG: [
      'experimental-features = nix-command',
      'require-sigs = true',
      `trusted-public-keys = ${trusted}`,
      'substituters =',
      'build-users-group =',
    ].join('\n'),
  };
  const args = ['copy', '--from', `${url}/nix-cache`, '--to', `local?root=${root}`, system];
  const error = await run('nix', args, {env, timeout: nixTimeLimitMs}).then(
    () => '',
    (failure: {readonly stderr: string; readonly message: string}) =>
      failure.stderr || failure.message,
  );
  return {root, error};
}

const contentOf = (root: string, storePath: string, ...names: string[]) =>
  readFile(path.join(root, 'nix/store', path.basename(storePath), ...names), 'utf8');

/** Between a machine and its edge, somebody who changes what passes by. */
async function startMeddler(
  change: (target: string, body: Buffer) => Buffer,
): Promise<AsyncDisposable & {readonly url: string}> {
  const server = http.createServer((request, response) => {
    void fetch(`${muster.edgeUrl}${request.url}`).then(async answer => {
      const body = Buffer.from(await answer.arrayBuffer());
      response.writeHead(answer.status).end(change(request.url ?? '', body));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

test.serial('a machine fetches its system, with what it refers to, from its edge', async t => {
  const {root, error} = await fetchSystem();
  t.is(error, '');
  const motd = (await contentOf(root, toplevel, 'motd')).trim();
  t.is(await contentOf(root, motd), 'welcome to web');
  t.is(
    (await readdir(path.join(root, 'nix/store'))).filter(name => /^\w{32}-/.test(name)).length,
    2,
  );
});

test.serial(
  'what the server has is not given to it again, and the next build tries what failed',
  async t => {
    const again = recordContext();
    await buildAndPublish('web', again);
    t.regex(await again.line(/store paths published/), /^0 of 2 .* 0 bytes$/);

    const {storePaths} = depot;
    const away = recordContext();
    depot = {
      ...depot,
      storePaths: {...storePaths, publishSystem: () => Promise.reject(new TypeError('no way'))},
    };
    // A failure that may pass is tried again, for half of the time that the build has left.
    const other = await buildAndPublish('db', {...away, remainingMs: () => 6000.5});
    depot = {...depot, storePaths};
    t.regex(
      await away.line(/^warning/),
      /machines cannot fetch all of this system .* the next build tries/,
    );
    const later = recordContext();
    await buildAndPublish('mail', later);
    t.deepEqual(
      later.lines.filter(line => line.includes('published for machines')).length,
      2,
      later.lines.join('\n'),
    );
    const {root, error} = await fetchSystem({system: other});
    t.is(error, '');
    t.is((await contentOf(root, other, 'host-name')).trim(), 'db');
  },
);

test.serial("Nix takes nothing that is not signed by the site's key", async t => {
  const stranger = await loadSigningKey(path.join(lab.directory, 'stranger'), 'stranger-1');
  const {error} = await fetchSystem({trusted: stranger.publicKey});
  t.regex(error, /lacks a (valid )?signature/);
});

test.serial('Nix refuses a narinfo that somebody changed', async t => {
  await using meddler = await startMeddler((target, body) =>
    target.endsWith('.narinfo')
      ? Buffer.from(body.toString().replace(/(-system-[^]*^References:).*$/m, '$1 '))
      : body,
  );
  const {error} = await fetchSystem({url: meddler.url});
  t.regex(error, /lacks a (valid )?signature/);
});

test.serial('Nix refuses an archive that somebody changed', async t => {
  const otherSystem = await buildAndPublish('evil');
  const narOf = async (system: string) => {
    const hash = path.basename(system).slice(0, 32);
    const narinfo = await (await fetch(`${muster.edgeUrl}/nix-cache/${hash}.narinfo`)).text();
    return /^URL: (\S+)/m.exec(narinfo)?.[1] ?? '';
  };
  const [wanted, given] = [await narOf(toplevel), await narOf(otherSystem)];
  const archive = await (await fetch(`${muster.edgeUrl}/nix-cache/${given}`)).arrayBuffer();
  await using meddler = await startMeddler((target, body) =>
    target.endsWith(wanted) ? Buffer.from(archive) : body,
  );
  const {error} = await fetchSystem({url: meddler.url});
  t.regex(error, /hash mismatch/);
});

test.serial(
  'the server refuses what the builder did not sign, and an archive that is not its digest',
  async t => {
    const [hash = ''] = (await cache.systems.list())[0]?.hashes ?? [];
    const {narinfo} = await cache.read(hash);
    const {publicKey: builderKey} = cache;
    const changed = narinfo.replace(/^NarSize: /m, 'NarSize: 1');
    await t.throwsAsync(
      depot.storePaths.publishStorePaths({publicKey: builderKey, narinfos: [changed]}),
      {message: /the signature of its builder's cache does not fit/},
    );
    const file = path.join(lab.directory, 'changed.nar.zst');
    await writeFile(file, 'something else');
    const artifact = {name: 'x.nar.zst', path: file, sha256: 'a'.repeat(64), sizeBytes: 14};
    await t.throwsAsync(depot.imageStore.upload(artifact, new AbortController().signal), {
      message: /422: .*its content has another SHA-256/,
    });
  },
);

test.serial('with the server stopped the edge goes on', async t => {
  await muster.server.stop();
  const {root, error} = await fetchSystem();
  t.is(error, '');
  t.is((await contentOf(root, toplevel, 'host-name')).trim(), 'web');
});

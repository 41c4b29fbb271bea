import test from 'ava';
import type {MessageInitShape} from '@bufbuild/protobuf';
import {BootAction, BootHop_Kind} from '@muster/proto/gen/muster/v1/boot_pb.ts';
import type {ResolveBootResponseSchema} from '@muster/proto/gen/muster/v1/boot_pb.ts';
import {anAnswer, anImage, publishBook, startTestEdge, temporaryFolder} from './testing/edge.ts';
import {startMusterServer} from './testing/muster-server.ts';

const mac = '52:54:00:aa:00:01';
const byMac = '/boot.ipxe?mac=52-54-00-aa-00-01';
const localDisk = (machineId: string, parts = {}) => anAnswer({machineId, ...parts});

async function setUp(answers: readonly ReturnType<typeof anAnswer>[]) {
  const stack = new AsyncDisposableStack();
  const folder = stack.use(await temporaryFolder());
  const server = stack.use(await startMusterServer());
  publishBook(server, answers);
  const edge = stack.use(await startTestEdge({stateDir: folder.path, serverUrl: server.url}));
  await edge.until(async () => (await edge.get('/readyz')).ok);
  return {server, edge, folder, [Symbol.asyncDispose]: () => stack.disposeAsync()};
}
const decides = (
  action: BootAction,
  reason: string,
  imageId = '',
): MessageInitShape<typeof ResolveBootResponseSchema> => ({
  answer: {machineId: 'm', decision: {action, reason, imageId}},
});

test('a stranger gets the answer of the server', async t => {
  await using app = await setUp([]);
  app.server.state.resolve = () => Promise.resolve(decides(BootAction.RETRY, 'come back'));
  const product = Buffer.from('PowerEdge R740 & more').toString('hex');
  const script = await app.edge.text(`${byMac}&serial=414243&product=${product}&platform=efi`);
  t.regex(script, /^#!ipxe\necho Muster: waiting: come back\n/);
  t.like(app.server.state.resolved[0], {
    client: {
      macAddresses: [mac],
      serial: 'ABC',
      product: 'PowerEdge R740 & more',
      platform: 'efi',
      ipAddress: '127.0.0.1',
    },
  });
});

test('a stranger gets the policy when the server does not answer', async t => {
  await using app = await setUp([]);
  t.regex(await app.edge.text(byMac), /registration image: a machine nobody knows\n/);
  t.is(app.server.state.resolved.length, 1);
});

test('a stranger waits two seconds at most', async t => {
  await using app = await setUp([]);
  app.server.state.resolve = () => new Promise(() => undefined);
  const startMs = performance.now();
  t.regex(await app.edge.text(byMac), /a machine nobody knows/);
  t.true(performance.now() - startMs < 4000);
});

test('an image that only the answer names can be booted', async t => {
  await using app = await setUp([]);
  const image = anImage('5');
  app.server.state.resolve = () =>
    Promise.resolve({...decides(BootAction.IMAGE, 'its own', image.id), image});
  t.regex(await app.edge.text(byMac), new RegExp(`token.cpio\\?.*&image=${image.id} `));
});

test('a tag that names nobody, or several, asks the machine for more', async t => {
  await using app = await setUp([
    localDisk('a', {serial: 'SAME-1', macAddresses: [mac]}),
    localDisk('b', {serial: 'SAME-1', macAddresses: ['52:54:00:aa:00:02']}),
  ]);
  for (const tag of ['SAME-1', 'NOBODY', 'None', '..', '%2e%2e', '%E2%82%AC', 'x'.repeat(128)]) {
    const script = await app.edge.text(`/nixos/machines/${tag}.ipxe`);
    t.regex(
      script,
      /this name is not enough.*\n.*\n.*\nchain --replace --autofree \/boot\.ipxe\?/,
      tag,
    );
  }
  const serial = Buffer.from('SAME-1').toString('hex');
  t.regex(
    await app.edge.text(`/boot.ipxe?mac=52-54-00-aa-00-02&serial=${serial}`),
    /decision for b/,
  );
  t.regex(
    await app.edge.text(`/nixos/machines/SAME-1.ipxe?mac=52-54-00-aa-00-01`),
    /decision for a/,
  );
  t.regex(await app.edge.text('/metrics'), /ambiguous_total 1\n/);
});

test('two machines with one UUID each get their own answer', async t => {
  const uuid = '4c4c4544-0042-4310-8031-b1c04f313233';
  await using app = await setUp([
    localDisk('a', {uuid, macAddresses: [mac]}),
    localDisk('b', {uuid, macAddresses: ['52:54:00:aa:00:02']}),
  ]);
  t.regex(await app.edge.text(`${byMac}&uuid=${uuid}`), /decision for a/);
  t.regex(await app.edge.text(`/boot.ipxe?mac=52-54-00-aa-00-02&uuid=${uuid}`), /decision for b/);
});

test('keys that name different machines are a question for the server', async t => {
  await using app = await setUp([
    localDisk('a', {macAddresses: [mac]}),
    localDisk('b', {serial: 'B-1'}),
  ]);
  app.server.state.resolve = () => Promise.resolve(decides(BootAction.RETRY, 'quarantined'));
  const serial = Buffer.from('B-1').toString('hex');
  t.regex(await app.edge.text(`${byMac}&serial=${serial}`), /quarantined/);
  app.server.state.resolve = undefined;
  t.regex(await app.edge.text(`${byMac}&serial=${serial}`), /decision for a/);
});

test('an override is asked for once in a boot session, and kept for it', async t => {
  await using app = await setUp([localDisk('a', {macAddresses: [mac], serial: 'A-1', ask: true})]);
  let answered = 0;
  app.server.state.resolve = () =>
    Promise.resolve(decides(BootAction.LOCAL_DISK, `override ${++answered}`));
  t.regex(await app.edge.text(byMac), /override 1/);
  t.regex(await app.edge.text(byMac), /override 1/);
  t.regex(await app.edge.text('/nixos/machines/A-1.ipxe'), /override 1/);

  // The token is the last thing before the kernel: the next script belongs to the next boot.
  await app.edge.text('/boot/token.cpio?mac=52-54-00-aa-00-01');
  t.regex(await app.edge.text(byMac), /override 2/);
  // Unless the kernel never started.
  await app.edge.text('/boot/token.cpio?mac=52-54-00-aa-00-01');
  t.is(await app.edge.text('/boot/report?step=boot&errno=0x1&mac=52-54-00-aa-00-01'), '#!ipxe\n');
  t.regex(await app.edge.text(byMac), /override 2/);
});

test('without the server an override is not looked up, and the script says so', async t => {
  await using app = await setUp([localDisk('a', {macAddresses: [mac], ask: true})]);
  const standing = await app.edge.text(byMac);
  t.regex(
    standing,
    /^#!ipxe\necho Muster: the server did not answer: .*\necho .*decision for a\nexit 1\n$/,
  );
  app.server.state.resolve = () => Promise.resolve(decides(BootAction.RETRY, 'too late'));
  t.is(await app.edge.text(byMac), standing);
});

test('a change is served at once', async t => {
  await using app = await setUp([localDisk('a', {macAddresses: [mac]})]);
  t.regex(await app.edge.text(byMac), /decision for a/);
  const changed = anAnswer({
    machineId: 'a',
    macAddresses: [mac],
    decision: anAnswer({machineId: 'changed'}).decision ?? {},
  });
  app.server.publish({complete: true, revision: 5n, answers: [changed]});
  await app.edge.until(async () => /decision for changed/.test(await app.edge.text(byMac)));

  app.server.publish({complete: true, revision: 6n, removedMachineIds: ['a']});
  await app.edge.until(async () => /a machine nobody knows/.test(await app.edge.text(byMac)));
  t.pass();
});

test('a failed step becomes a hop with what iPXE said', async t => {
  await using app = await setUp([localDisk('a', {macAddresses: [mac]})]);
  await app.edge.text('/boot/report?step=kernel&errno=0x2d0c618e&nic=net1&mac=52-54-00-aa-00-01');
  const {hops} = app.server.state;
  await app.server.until('hops', () => hops.length > 0);
  t.like(hops[0], {kind: BootHop_Kind.FAILURE, detail: 'kernel 0x2d0c618e net1'});
});

test('a machine that was sent to its disk gets no boot loader in that boot', async t => {
  await using app = await setUp([localDisk('a', {macAddresses: [mac]})]);
  t.is((await app.edge.get('/loaders/snponly.efi')).status, 200);
  await app.edge.text(byMac);
  const refused = await app.edge.get('/loaders/snponly.efi');
  t.is(refused.status, 404);
  t.regex(await refused.text(), /local disk/);
});

test('hostile requests get a clear error and change nothing', async t => {
  await using app = await setUp([localDisk('a', {macAddresses: [mac]})]);
  const before = await app.edge.text(byMac);
  for (const [target, status, init] of [
    ['/', 404],
    ['/boot.ipxe/', 404],
    ['/..%2f..%2fetc%2fpasswd', 404],
    ['/%zz', 400],
    ['/%00', 400],
    ['//evil/boot.ipxe', 404],
    ['/images/sha256/../../edge.seed', 404],
    ['/images/sha256/zz/vmlinuz', 404],
    [`/images/sha256/${'a'.repeat(64)}/..%2fx`, 404],
    ['/loaders/..%2f..%2fetc%2fpasswd', 404],
    ['/loaders/constructor', 404],
    ['/boot/token.cpio', 400],
    ['/boot/token.cpio?mac=ff:ff:ff:ff:ff:ff', 400],
    ['/boot/token.cpio?mac=52-54-00-aa-00-01&image=../../x', 400],
    ['/boot.ipxe', 405, {method: 'POST', body: 'x'.repeat(1_000_000)}],
    ['/metrics', 405, {method: 'DELETE'}],
  ] as const) {
    const response = await app.edge.get(target, init);
    t.is(response.status, status, target);
    t.regex(await response.text(), /^[A-Z].*[^.]\n$/, target);
  }
  const long = await app.edge.get(
    `/boot.ipxe?mac=${'5'.repeat(7000)}&mac=x&mac=y&uuid=%ff&serial=%00`,
  );
  t.is(long.status, 200);
  t.is(await app.edge.text(byMac), before);
  t.regex(await app.edge.text('/metrics'), /requests_total\{kind="refused"\} \d\d\n/);
});

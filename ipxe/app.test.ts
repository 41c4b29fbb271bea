import test from 'ava';
import {BootAction, BootHop_Kind} from '@muster/proto/gen/muster/v1/boot_pb.ts';
import {runCommand} from './testing/command.ts';
import {anAnswer, anImage, publishBook, startTestEdge, temporaryFolder} from './testing/edge.ts';
import {startMusterServer} from './testing/muster-server.ts';

const known = anAnswer({
  machineId: '0197a000-0000-7000-8000-00000000000a',
  macAddresses: ['52:54:00:aa:00:01', '52:54:00:aa:00:02'],
  uuid: '4c4c4544-0042-4310-8031-b1c04f313233',
  serial: 'ABC1234',
  decision: {action: BootAction.IMAGE, imageId: anImage('1').id, reason: 'its desired image'},
});

async function setUp() {
  const stack = new AsyncDisposableStack();
  const folder = stack.use(await temporaryFolder());
  const server = stack.use(await startMusterServer());
  publishBook(server, [known]);
  const edge = stack.use(await startTestEdge({stateDir: folder.path, serverUrl: server.url}));
  await edge.until(() => edge.machines() === 1);
  return {folder, server, edge, [Symbol.asyncDispose]: () => stack.disposeAsync()};
}

test('joins, and answers one machine under all its names', async t => {
  await using app = await setUp();
  const {edge} = app;
  const script = await edge.text('/nixos/machines/ABC1234.ipxe');

  t.regex(script, /^#!ipxe\necho Muster: starting image 111111111111: its desired image\n/);
  for (const target of [
    '/nixos/machines/abc1234.ipxe',
    '/nixos/machines/52:54:00:aa:00:01.ipxe',
    '/nixos/machines/52-54-00-AA-00-02.ipxe',
    '/nixos/machines/525400aa0001.ipxe',
    '/nixos/machines/4C4C4544-0042-4310-8031-B1C04F313233.ipxe',
    '/boot.ipxe?mac=52-54-00-aa-00-01',
    '/boot.ipxe?mac=&uuid=4c4c4544-0042-4310-8031-b1c04f313233',
    `/boot.ipxe?serial=${Buffer.from('ABC1234').toString('hex')}`,
  ])
    t.is(await edge.text(target), script, target);
  await app.server.until('report', () => app.server.state.reports > 0);
});

test('a script request becomes a hop of one session', async t => {
  await using app = await setUp();
  await app.edge.text('/boot.ipxe?mac=52-54-00-aa-00-01&platform=efi');
  await app.edge.text('/nixos/machines/ABC1234.ipxe');
  const token = await app.edge.get(
    `/boot/token.json?mac=52-54-00-aa-00-01&image=${anImage('1').id}`,
  );
  const {hops} = app.server.state;
  await app.server.until('hops', () => hops.length >= 2);

  t.deepEqual(
    hops.map(hop => hop.kind),
    [BootHop_Kind.SCRIPT, BootHop_Kind.TOKEN],
  );
  t.is(new Set(hops.map(hop => hop.session)).size, 1);
  t.like(hops[0], {
    client: {macAddresses: ['52:54:00:aa:00:01'], platform: 'efi', ipAddress: '127.0.0.1'},
  });
  t.like(await token.json(), {session: hops[0]?.session});
});

test('boot loader by TFTP and script by HTTP are one session', async t => {
  await using app = await setUp();
  const url = `tftp://127.0.0.1:${app.edge.tftpPort}/snponly.efi`;
  await runCommand('curl', ['-sS', '-o', '/dev/null', url], 'curl');
  await app.edge.text('/boot.ipxe?mac=52-54-00-aa-00-01');
  const {hops} = app.server.state;
  await app.server.until('hops', () => hops.length >= 2);
  t.like(hops[0], {kind: BootHop_Kind.LOADER, detail: 'snponly.efi', complete: true});
  t.is(hops[0]?.session, hops[1]?.session);
});

import {createHash} from 'node:crypto';
import {readFile} from 'node:fs/promises';
import {createRequire} from 'node:module';
import path from 'node:path';
import test from 'ava';
import {runCommand} from './testing/command.ts';
import {temporaryFolder} from './testing/edge.ts';
import {loadersDir, startTftp} from './testing/tftp-server.ts';
import {ack, openTftpSocket, readRequest} from './testing/tftp-socket.ts';

type TftpClient = {
  get(remote: string, local: string, done: (error: Error | null) => void): void;
};
const {createClient} = createRequire(import.meta.url)('tftp') as {
  createClient(options: object): TftpClient;
};

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
const loader = (name: string) => readFile(path.join(loadersDir, name));

for (const [asked, file] of [
  ['snponly.efi', 'snponly.efi'],
  ['snp.efi', 'snponly.efi'],
  ['/tftpboot/ipxe/UNDIONLY.KPXE', 'undionly.kpxe'],
  ['ipxe.efi', 'ipxe.efi'],
] as const)
  test(`curl gets ${asked}`, async t => {
    await using server = await startTftp();
    await using folder = await temporaryFolder();
    const local = path.join(folder.path, 'got');
    const url = `tftp://127.0.0.1:${server.port}/${asked}`;
    await runCommand('curl', ['-sS', '--tftp-blksize', '1468', '-o', local, url], 'curl');
    t.is(sha256(await readFile(local)), sha256(await loader(file)));
  });

test('curl without options gets blocks of 512 bytes', async t => {
  await using server = await startTftp();
  await using folder = await temporaryFolder();
  const local = path.join(folder.path, 'got');
  const url = `tftp://127.0.0.1:${server.port}/undionly.kpxe`;
  await runCommand('curl', ['-sS', '--tftp-no-options', '-o', local, url], 'curl');
  t.is(sha256(await readFile(local)), sha256(await loader('undionly.kpxe')));
});

for (const mode of ['binary', 'ascii'])
  test(`tftp-hpa gets a loader in ${mode} mode`, async t => {
    await using server = await startTftp();
    await using folder = await temporaryFolder();
    const local = path.join(folder.path, 'got');
    const args = ['-m', mode, '127.0.0.1', String(server.port), '-c', 'get', '/snponly.efi', local];
    await runCommand('tftp', args, 'tftp-hpa');
    t.is(sha256(await readFile(local)), sha256(await loader('snponly.efi')));
  });

for (const windowSize of [1, 4, 16])
  test(`the npm client gets a loader with windowsize ${windowSize}`, async t => {
    await using server = await startTftp();
    await using folder = await temporaryFolder();
    const local = path.join(folder.path, 'got');
    const client = createClient({host: '127.0.0.1', port: server.port, windowSize});
    await new Promise<void>((resolve, reject) =>
      client.get('ipxe.efi', local, error => (error ? reject(error) : resolve())),
    );
    t.is(sha256(await readFile(local)), sha256(await loader('ipxe.efi')));
  });

test('thirty machines load at once', async t => {
  await using server = await startTftp();
  const url = `tftp://127.0.0.1:${server.port}/undionly.kpxe`;
  const sizes = await Promise.all(
    Array.from({length: 30}, () =>
      runCommand('curl', ['-sS', '-o', '/dev/null', '-w', '%{size_download}', url], 'curl'),
    ),
  );
  t.deepEqual(new Set(sizes), new Set([String((await loader('undionly.kpxe')).length)]));
  t.regex(await server.metrics.text(), /tftp_transfers_total\{outcome="completed"\} 30/);
});

test('firmware asks for the size, aborts, and fetches from the same port', async t => {
  await using server = await startTftp();
  using socket = await openTftpSocket(server.port);
  const size = (await loader('snponly.efi')).length;

  socket.send(readRequest('snponly.efi', {TSIZE: '0', BLKSIZE: '1468'}));
  const probe = await socket.next();
  t.is(probe.bytes.toString('latin1', 2), `blksize\x001468\0tsize\0${size}\0`);
  socket.send(Buffer.from('\0\x05\0\x08User aborted the transfer\0', 'latin1'), probe.peer.port);

  socket.send(readRequest('snponly.efi', {blksize: '1468'}));
  const again = await socket.next();
  socket.send(ack(0), again.peer.port);
  const first = await socket.next();
  t.is(first.bytes.length, 4 + 1468);
  t.regex(await server.metrics.text(), /tftp_transfers_total\{outcome="aborted"\} 1/);
});

test('a lost packet is sent again, a repeated request and a repeated acknowledgement are not answered', async t => {
  await using server = await startTftp();
  using socket = await openTftpSocket(server.port);
  socket.send(readRequest('undionly.kpxe'));
  socket.send(readRequest('undionly.kpxe'));
  const first = await socket.next();
  // Not acknowledged: as if it had been lost.
  const repeated = await socket.next();
  t.deepEqual(repeated.bytes, first.bytes);
  t.is(repeated.peer.port, first.peer.port);

  for (let copy = 0; copy < 3; copy++) socket.send(ack(1), first.peer.port);
  const second = await socket.next();
  t.is(second.bytes.readUInt16BE(2), 2);
  socket.send(ack(2), first.peer.port);
  const third = await socket.next();
  t.is(third.bytes.readUInt16BE(2), 3);
  t.is(socket.waiting, 0);
});

const answers = test.macro({
  async exec(t, packet: Buffer, code: number) {
    await using server = await startTftp();
    using socket = await openTftpSocket(server.port);
    socket.send(packet);
    const {bytes} = await socket.next();
    t.deepEqual([bytes.readUInt16BE(0), bytes.readUInt16BE(2)], [5, code]);
    t.is(bytes.at(-1), 0);
  },
  title: providedTitle => providedTitle ?? '',
});

test('an unknown file is not found', answers, readRequest('pxelinux.0'), 1);
test('a name that climbs is refused', answers, readRequest('../../etc/shadow'), 2);
test('a name with a backslash that climbs is refused', answers, readRequest('..\\secret'), 2);
test('an object property is no file', answers, readRequest('constructor'), 1);
test('writing is refused', answers, Buffer.from('\0\x02snponly.efi\0octet\0'), 2);
test('mail mode is refused', answers, Buffer.from('\0\x01snponly.efi\0mail\0'), 4);

test('junk is counted, answered by nothing, and harms nobody', async t => {
  await using server = await startTftp();
  using socket = await openTftpSocket(server.port);
  const junk = [
    Buffer.alloc(0),
    Buffer.from([0]),
    Buffer.from([0, 1]),
    Buffer.from([0, 1, 0, 0, 0, 0]),
    Buffer.alloc(1400, 0xff),
    Buffer.from([0, 1, ...Buffer.alloc(511, 0x41)]),
    ack(7),
    Buffer.from([0, 3, 0, 1, 1, 2, 3]),
  ];
  for (const bytes of junk) socket.send(bytes);
  socket.send(readRequest('undionly.kpxe'));

  const {bytes, peer} = await socket.next();
  t.is(bytes.readUInt16BE(0), 3);
  // In the middle of a transfer too.
  for (const noise of junk) if (noise.length !== 4) socket.send(noise, peer.port);
  socket.send(ack(1), peer.port);
  t.is((await socket.next()).bytes.readUInt16BE(2), 2);
  t.regex(await server.metrics.text(), /tftp_transfers_total\{outcome="malformed"\} [1-9]/);
});

test('a stranger cannot acknowledge for another machine', async t => {
  await using server = await startTftp();
  using machine = await openTftpSocket(server.port);
  using stranger = await openTftpSocket(server.port);
  machine.send(readRequest('undionly.kpxe'));
  const {peer} = await machine.next();
  stranger.send(ack(1), peer.port);
  stranger.send(Buffer.from('\0\x05\0\0\0', 'latin1'), peer.port);

  machine.send(ack(1), peer.port);
  t.is((await machine.next()).bytes.readUInt16BE(2), 2);
  t.is(stranger.waiting, 0);
});

test('one address gets a limited number of transfers; others are not harmed', async t => {
  await using server = await startTftp({tftpTransfersPerClientMax: 2});
  using first = await openTftpSocket(server.port);
  using second = await openTftpSocket(server.port);
  using third = await openTftpSocket(server.port);
  first.send(readRequest('undionly.kpxe'));
  const running = await first.next();
  second.send(readRequest('undionly.kpxe'));
  await second.next();
  third.send(readRequest('undionly.kpxe'));
  // The first one ends: its place is free, and the third machine's own repetition gets it.
  first.send(Buffer.from('\0\x05\0\0\0', 'latin1'), running.peer.port);
  const repeat = setInterval(() => third.send(readRequest('undionly.kpxe')), 20);
  t.teardown(() => clearInterval(repeat));
  t.is((await third.next()).bytes.readUInt16BE(0), 3);
  clearInterval(repeat);
});

test('a setting allows blocks up to 65464 bytes', async t => {
  await using server = await startTftp({tftpBlockBytesMax: 65_464});
  using socket = await openTftpSocket(server.port);
  socket.send(readRequest('snponly.efi', {blksize: '65464'}));
  const {peer} = await socket.next();
  socket.send(ack(0), peer.port);
  t.is((await socket.next()).bytes.length, 4 + 65_464);
});
